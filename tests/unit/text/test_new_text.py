"""What of a mail the customer wrote now, and that nothing of it is lost."""

import re
import unicodedata
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graphs.text.new_text.characters import without_hidden
from graphs.text.new_text.markup import is_html
from graphs.text.new_text.reading import new_text, set_apart
from tests.unit.text.held_out_mails import HELD_OUT, HeldOut
from tests.unit.text.mails import MAILS, Mail


def bare(text: str) -> str:
    """The text without blanks."""
    return "".join(text.split())


@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.name)
def test_new_text_of_a_mail(mail: Mail) -> None:
    """Only what the customer wrote now is read; the rest is named by its kind."""
    text, parts = set_apart(mail.body)
    assert bare(text) == bare(mail.new_text)
    assert " ".join(part["kind"] for part in parts) == mail.kinds


@pytest.mark.parametrize("mail", HELD_OUT, ids=lambda mail: mail.name)
def test_new_text_of_a_mail_that_was_written_before_the_rules(mail: HeldOut) -> None:
    """docs/adr/0020 has how many were right when the rules first met them."""
    assert bare(new_text(mail.body)) == bare(mail.new_text)


WRITTEN = [mail.body for mail in MAILS] + [mail.body for mail in HELD_OUT]
LINES = [line for body in WRITTEN if not is_html(body) for line in body.split("\n")]
BODIES = st.lists(st.one_of(st.sampled_from(["", *LINES]), st.text(max_size=30)), max_size=25).map(
    "\n".join
)


@given(BODIES)
@example("\nDe: Acme <s@acme.example>\nMessage: How do I export my contacts?")
def test_nothing_is_lost(body: str) -> None:
    """Every character but blanks and those that cannot be seen is in one of the two halves."""
    text, parts = set_apart(body, html=False)
    found = Counter(bare(text))
    for part in parts:
        if part["kind"] != "hidden_characters":
            found += Counter(bare(part["text"]))
    assert found == Counter(bare(without_hidden(body)))


@given(BODIES)
def test_new_text_is_its_own_new_text(body: str) -> None:
    """What is new was read as far as it goes."""
    text = set_apart(body, html=False).text
    assert set_apart(text, html=False).text == text


@pytest.mark.parametrize(
    "mail", [mail for mail in MAILS if is_html(mail.body)], ids=lambda mail: mail.name
)
def test_no_word_of_html_is_lost(mail: Mail) -> None:
    """Every word that stands between tags or in a comment is in one of the two halves."""
    text, parts = set_apart(mail.body)
    plain = re.sub(r"<style>.*?</style>|</?[a-z][^<>]*>|<!--|-->|&#\w+;", " ", mail.body)
    whole = " ".join([text, *(part["text"] for part in parts)])
    assert set(re.findall(r"\w+", plain)) - {"nbsp", "lt", "gt", "amp"} <= set(
        re.findall(r"\w+", whole)
    )


@given(BODIES)
def test_no_hidden_character_is_left(body: str) -> None:
    """Neither in the new text nor in what people see."""
    text, parts = set_apart(f"a\U000e0041\u200b\u202e{body}")
    shown = "".join([text, *(part["text"] for part in parts)])
    assert not any(unicodedata.category(c) == "Cf" and c in "\u200b\u202e" for c in shown)
    assert parts[-1] == {"kind": "hidden_characters", "text": "A"} or "A" in shown


HOSTILE = {
    "nested_quotes": "> " * 25_000,
    "tags": "<b>" * 16_000,
    "unclosed": '<a href="' * 5_000,
    "deep": "<div>" * 20_000 + "refund me" + "</div>" * 20_000,
    "deep_spans": "<span>" * 20_000 + "refund me",
    "comments": "<!--" * 12_000,
    "attributions": f"{'On 1.1.26 09:00 x wrote '}" * 2_000,
    "headers": "From: a\n" * 6_000,
    "entities": "&lt;" * 12_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_body_is_read(name: str) -> None:
    """No nesting and no length ends the reader; test_linear_time holds its time."""
    assert set_apart(HOSTILE[name]) is not None


def test_what_is_nested_too_deeply_is_hidden_and_shown_to_people() -> None:
    """The parser follows 256 levels; whether more can be seen cannot be said."""
    text, parts = set_apart(HOSTILE["deep"])
    assert text == ""
    assert parts == [{"kind": "html_hidden", "text": "refund me"}]
