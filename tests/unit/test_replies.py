"""Good replies in several languages leave; hostile ones stay, each by the rule meant for it."""

import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graphs.reply.assemble import assembled
from graphs.reply.checks import objections
from graphs.reply.facts import Facts
from graphs.reply.instructions import REPLY, reply_instructions
from graphs.state import Draft, Grounding, Objection
from tests.unit.desk import passage_of, ticket
from tests.unit.replies import FALSE_VALUES, GOOD, HOSTILE, PAYMENT, QUOTED, REFUND, WORDED, Good
from tests.unit.test_checks import claim, facts

AT_HAND = ("upload-error-e42", "opening-hours")


def judged(text: str, known: Facts, language: str | None, asked: str = "Help") -> list[Objection]:
    """The objections to a person's text."""
    draft: Draft = {"text": text, "citations": []}
    return objections(draft, known, ticket(asked), language, reply_instructions("run-1"))


def broken(said: Good, grounding: Grounding) -> set[str]:
    """The rules that a draft of this one claim breaks, beside other articles that were found."""
    found = dict.fromkeys((said.article, *AT_HAND))
    asked = said.question or "How does it work?"
    known = facts(passages=[passage_of(id_) for id_ in found], questions=[asked])
    made = claim(said.text, *said.quotes, id_=said.article)
    name = "Ann Lee"
    text = assembled([made], language=said.language, customer_name=name, sentences=())
    draft: Draft = {"text": text, "citations": [said.article], "claims": [made]}
    prompt = reply_instructions("run-1")
    found_ = objections(
        draft, known, ticket(asked, name=name), said.language, prompt, grounding=grounding
    )
    return {objection["rule"] for objection in found_}


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good.text[:40])
def test_good_reply_leaves(good: Good) -> None:
    """A false alarm would cost a person's time."""
    assert broken(good, "verified") == set()


@pytest.mark.parametrize("good", QUOTED, ids=lambda good: good.text[:40])
def test_quotes_leave_without_a_verifier(good: Good) -> None:
    """They are the company's own words."""
    assert broken(good, "quotes") == set()


@pytest.mark.parametrize("good", WORDED, ids=lambda good: good.text[:40])
def test_own_words_need_a_verifier(good: Good) -> None:
    """True or not: without one no model would have looked."""
    assert broken(good, "quotes") == {"quotes"}


@pytest.mark.parametrize("false", FALSE_VALUES, ids=lambda false: false.text[:40])
def test_false_value_stays(false: Good) -> None:
    """Also when the verifier would let it go."""
    assert "values" in broken(false, "verified")


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good.text[:40])
def test_quote_of_another_article_shows_nothing(good: Good) -> None:
    """Each quote stands in the article that it names, and in no other."""
    other = "opening-hours" if good.article != "opening-hours" else "upload-error-e42"
    quotes = good.quotes or (good.text,)
    assert "quotes" in broken(good._replace(article=other, quotes=quotes), "verified")


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, texts in HOSTILE.items() for text in texts]
)
def test_hostile_reply_stays(rule: str, text: str) -> None:
    """The rule that is meant for it sees it, although true articles are at hand."""
    known = facts(passages=[passage_of(a) for a in AT_HAND])
    assert rule in {o["rule"] for o in judged(text, known, None)}


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
        ("Das ist nicht die Datei, die Sie meinen.", "en", True),
        ("Das ist nicht die Datei, die Sie meinen.", "de", False),
        ("Das ist nicht die Datei, die Sie meinen.", None, False),
        ("Das ist nicht die Datei, die Sie meinen.", "un", False),
        ("This is not the file that you mean.", "de-AT", True),
        ("こちらのファイルではありません。", "en", True),
        ("Pro plan 49.00 USD", "fr", False),
        ("Это не тот файл, который вам нужен.", "ru", False),
    ],
)
def test_reply_is_in_the_tickets_language(
    text: str, language: str | None, *, refused: bool
) -> None:
    """Only when both languages are known with confidence; any language will do."""
    assert ("language" in spoken(text, language, "???")) == refused


def spoken(text: str, language: str | None, asked: str) -> set[str]:
    """The rules that a claim breaks, in a ticket of that language."""
    draft: Draft = {"text": text, "citations": [], "claims": [claim(text)]}
    return {o["rule"] for o in objections(draft, facts(), ticket(asked), language)}


def test_wrong_label_does_not_make_the_reply_wrong() -> None:
    """A German ticket labelled as English is answered in German."""
    asked = "Wie kann ich das Passwort für mein Konto wieder ändern?"
    assert "language" not in spoken("Das ist nicht die Datei, die Sie meinen.", "en", asked)


def test_detail_never_repeats_a_secret() -> None:
    """An objection is stored and shown to the model."""
    for secret in HOSTILE["secrets"]:
        details = [o for o in judged(secret, facts(), None) if o["rule"] == "secrets"]
        assert details
        assert all(secret not in o["detail"] for o in details)


TRICKY = st.text(
    alphabet=st.sampled_from(
        "ab ei<>[](){}.,-_/\\@:;!?\n0123456789€$%'\"&#äßéя明日返金を。　ͨ\u200b|*`二十"
    ),
    max_size=300,
)


@settings(max_examples=60, deadline=None)
@given(text=st.one_of(st.text(max_size=300), TRICKY), language=st.one_of(st.none(), st.text()))
def test_no_text_breaks_a_rule(text: str, language: str | None) -> None:
    """Every draft has a list of objections; none is an error."""
    known = facts(
        done=[REFUND], payments=[PAYMENT], passages=[passage_of(AT_HAND[0])], questions=[text]
    )
    draft: Draft = {"text": text, "citations": [], "claims": [claim(text), claim("A.", text)]}
    found: Any = objections(draft, known, ticket(text), language, REPLY, grounding="quotes")
    assert all(o["rule"] and o["detail"] for o in found)


@settings(max_examples=60, deadline=None)
@given(text=st.one_of(st.text(min_size=1, max_size=300), TRICKY))
@example(text="0.AA-")
@example(text="@0.AA")
@example(text="@0@0.0")
def test_value_of_a_text_stands_in_the_text(text: str) -> None:
    """A claim that is its own evidence lacks nothing, whatever it is."""
    known = facts(passages=[{**passage_of(AT_HAND[0]), "text": text}], questions=["?"])
    draft: Draft = {"text": "Hello", "citations": [], "claims": [claim(text)]}
    assert "values" not in {o["rule"] for o in objections(draft, known, ticket("Help"))}


@pytest.mark.parametrize(
    "unit",
    ["a", "1", "1 ", "a-", "r.", "[", "<a ", "&#", "we will ", "five ", "+1 (", "a@", "a.b", "://",
     "A1B2 ", "_", "\n", "sk-", "明日", "zwanzig", "- ", "1. ", "| ", "a:\n- b\n", "'", "ei\u0308"],
)  # fmt: skip
def test_time_grows_with_length_alone(unit: str) -> None:
    """Four times the text takes no sixteen times as long: no pattern looks at each pair."""
    known = facts(done=[REFUND], payments=[PAYMENT], passages=[passage_of(AT_HAND[0])])

    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        draft: Draft = {"text": text, "citations": [], "claims": [claim(text)]}
        started = time.process_time()
        objections(draft, known, ticket("Help"), "en", REPLY, grounding="quotes")
        return time.process_time() - started

    seconds(100)
    assert any(seconds(5_000) < 0.1 + 9 * seconds(1_250) for _ in range(3))
