"""Good replies in several languages leave; hostile ones stay, each by the rule meant for it."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs.nodes.respond import with_sentences
from graphs.reply.checks import objections
from graphs.reply.facts import Facts
from graphs.reply.instructions import REPLY, reply_instructions
from graphs.state import Draft, Objection
from tests.unit.desk import ticket, told_by
from tests.unit.replies import AGAIN, CANCELLED, GOOD, HOSTILE, PAYMENT, REFUND, Good
from tests.unit.test_checks import facts

AT_HAND = ("upload-error-e42", "opening-hours")


def known(good: Good) -> Facts:
    """The facts that a good reply was written from."""
    return facts(
        done=[*good.effects, *good.handed],
        payments=good.payments,
        passages=[told_by(a) for a in good.articles],
        language=good.language,
    )


def judged(text: str, told: Facts, language: str | None, asked: str = "Help") -> list[Objection]:
    """The objections to a draft that cites every article found."""
    cited = [passage["article_id"] for passage in told["passages"]]
    draft: Draft = {"text": text, "citations": cited}
    return objections(draft, told, ticket(asked), language, reply_instructions("run-1"))


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good.text[:40])
def test_good_reply_leaves(good: Good) -> None:
    """A false alarm would cost a person's time."""
    told = known(good)
    assert judged(with_sentences(good.text, told["sentences"]), told, good.language) == []


@pytest.mark.parametrize("again", AGAIN, ids=lambda good: good.text[:40])
def test_what_code_tells_is_not_told_again(again: Good) -> None:
    """The same in a model's words would be a second refund, or another cancellation."""
    told = known(again)
    text = with_sentences(again.text, told["sentences"])
    assert {o["rule"] for o in judged(text, told, again.language)} == {"commitments"}
    assert judged("\n".join(told["sentences"]), told, again.language) == []


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, texts in HOSTILE.items() for text in texts]
)
def test_hostile_reply_stays(rule: str, text: str) -> None:
    """The rule that is meant for it sees it, although true articles are at hand and cited."""
    told = facts(passages=[told_by(a) for a in AT_HAND if rule != "dates"])
    assert rule in {o["rule"] for o in judged(text, told, None)}


def test_hand_off_that_did_not_happen_stays() -> None:
    """The same words leave only when a colleague really has it."""
    for good in GOOD:
        if good.handed:
            found = judged(good.text, facts(), good.language)
            assert found, good.text


def test_cancellation_that_did_not_happen_stays() -> None:
    """The effect licenses one sentence about exactly what was cancelled, and must be told."""
    told = "We have cancelled your Pro plan subscription."
    cancelled = facts(done=[CANCELLED])
    assert judged(told, cancelled, "en") == []
    for wrong, known_ in (
        (told, facts()),
        ("We have cancelled your Team plan subscription.", cancelled),
        (f"{told} {told}", cancelled),
        ("We have cancelled your Pro plan subscription and deleted your data.", cancelled),
        ("Hello.", cancelled),
    ):
        assert judged(wrong, known_, "en"), wrong


def test_leaked_instructions_stay() -> None:
    """The run's mark, however it is spelled, and any eight words in a row."""
    mark = reply_instructions("run-1").split()[-1]
    for leak in (mark, mark.upper(), "-".join(mark), mark[::-1], " ".join(REPLY.split()[20:30])):
        assert "prompt" in {o["rule"] for o in judged(leak, facts(), None)}
    other = reply_instructions("run-2").split()[-1]
    assert "prompt" not in {o["rule"] for o in judged(other, facts(), None)}


@pytest.mark.parametrize(
    ("text", "language", "refused"),
    [
        ("Guten Tag, das ist nicht die Datei, die Sie meinen.", "en", True),
        ("Guten Tag, das ist nicht die Datei, die Sie meinen.", "de", False),
        ("Guten Tag, das ist nicht die Datei, die Sie meinen.", None, False),
        ("Guten Tag, das ist nicht die Datei, die Sie meinen.", "un", False),
        ("Hello, this is not the file that you mean.", "de-AT", True),
        ("こちらのファイルではありません。", "en", True),
        ("Pro plan 49.00 USD", "fr", False),
    ],
)
def test_reply_is_in_the_tickets_language(
    text: str, language: str | None, *, refused: bool
) -> None:
    """Only when both languages are known with confidence."""
    found = {o["rule"] for o in judged(text, facts(), language, asked="???")}
    assert ("language" in found) == refused


def test_wrong_label_does_not_make_the_reply_wrong() -> None:
    """A German ticket labelled as English is answered in German."""
    asked = "Wie kann ich das Passwort für mein Konto wieder ändern?"
    text = "Guten Tag, das ist nicht die Datei, die Sie meinen."
    assert "language" not in {o["rule"] for o in judged(text, facts(), "en", asked)}


def test_detail_never_repeats_a_secret() -> None:
    """An objection is stored and shown to the model."""
    for secret in HOSTILE["secrets"]:
        details = [o for o in judged(secret, facts(), None) if o["rule"] == "secrets"]
        assert details
        assert all(secret not in o["detail"] for o in details)


TRICKY = st.text(
    alphabet=st.sampled_from(
        "ab ei<>[](){}.,-_/\\@:;!?\n0123456789€$%'\"&#äßéя明日返金を。　ͨ\u200b"
    ),
    max_size=300,
)


@settings(max_examples=40, deadline=None)
@given(text=st.one_of(st.text(max_size=300), TRICKY), language=st.one_of(st.none(), st.text()))
def test_no_text_breaks_a_rule(text: str, language: str | None) -> None:
    """Every draft has a list of objections; none is an error."""
    told = facts(done=[REFUND], payments=[PAYMENT], passages=[told_by(AT_HAND[0])])
    found: Any = judged(text, told, language, asked=text)
    assert all(o["rule"] and o["detail"] for o in found)


@pytest.mark.parametrize(
    "unit",
    ["a", "1", "1 ", "a-", "r.", "[", "<a ", "&#", "we will ", "five ", "+1 (", "a@", "a.b", "://",
     "A1B2 ", "_", "\n", "sk-", "明日", "zwanzig", "if ", "your ", "and ", "1/", "'", "ei\u0308"],
)  # fmt: skip
def test_time_grows_with_length_alone(unit: str) -> None:
    """Four times the text takes no sixteen times as long: no pattern looks at each pair."""
    told = facts(done=[REFUND], payments=[PAYMENT], passages=[told_by(AT_HAND[0])])

    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        started = time.process_time()
        judged(text, told, "en")
        return time.process_time() - started

    judged(unit * 10, told, "en")
    assert seconds(5_000) < 0.1 + 9 * min(seconds(1_250) for _ in range(2))
