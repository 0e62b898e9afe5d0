"""A ticket's parts: each specialist sees its own, and no word is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.state import Intent, SupportState
from graphs.ticket_parts import clauses, part_for, parts_of
from tests.unit.desk import ticket
from tests.unit.test_policy import CALM

BODY = "I was charged twice and the upload fails with E42. My account is 77."
QUOTES: list[tuple[Intent, str]] = [
    ("billing", "I was charged twice"),
    ("technical", "the upload fails with E42"),
]
WORDS = st.sampled_from("refund|E42|and|the|1.|49.00|also|二重。|,|\n| ".split("|"))
TEXTS = st.lists(WORDS, max_size=30).map(" ".join)


def test_each_specialist_sees_its_part_and_what_is_nobodys() -> None:
    """Another's clause is left out; what no part claims goes to all."""
    assert parts_of(BODY, QUOTES) == {
        "billing": "I was charged twice My account is 77.",
        "technical": "and the upload fails with E42. My account is 77.",
    }


@pytest.mark.parametrize("quote", ["I was charged thrice", "", "  ", "my invoice"])
def test_quote_that_does_not_stand_in_the_ticket_gives_the_whole(quote: str) -> None:
    """A model that invents a quote narrows nothing for that specialist."""
    assert "billing" not in parts_of(BODY, [("billing", quote), QUOTES[1]])


def test_white_space_does_not_matter() -> None:
    """A quote may be wrapped otherwise than the ticket."""
    body = "I was\n charged  twice.\nThe upload fails."
    quotes: list[tuple[Intent, str]] = [
        ("billing", "I was charged twice."),
        ("technical", "The upload\tfails."),
    ]
    assert parts_of(body, quotes) == {
        "billing": "I was\n charged  twice.",
        "technical": "The upload fails.",
    }


def test_clause_that_is_only_quoted_in_part_goes_to_all() -> None:
    """No customer can hide a "not" from a specialist by giving the word to another."""
    body = "Please do not refund pay_1. The upload fails."
    quotes: list[tuple[Intent, str]] = [("billing", "refund pay_1"), ("technical", "not")]
    seen = parts_of(body, quotes)
    assert all(seen.get(name, body) == body for name in ("billing", "technical"))


@given(body=TEXTS, quotes=st.lists(st.tuples(st.sampled_from(["billing", "technical"]), TEXTS)))
def test_no_text_is_lost(body: str, quotes: list[tuple[Intent, str]]) -> None:
    """Whatever a model quotes, every word of the ticket reaches a specialist."""
    seen = parts_of(body, quotes)
    everyone = " ".join(seen.get(name, body) for name in ("billing", "technical"))
    assert set(body.split()) <= set(everyone.split())


@given(TEXTS)
def test_clauses_are_the_text_cut_and_nothing_else(text: str) -> None:
    """Joined they are the text again."""
    assert "".join(clauses(text)) == text


def test_slice_keeps_the_subject_and_narrows_the_body() -> None:
    """One intent, or no part of its own: the whole ticket."""
    state: SupportState = {"ticket": ticket(BODY, "Two things"), "triage": None}
    assert part_for(state, "billing")["body"] == BODY
    state["triage"] = {**CALM, "parts": {"billing": "I was charged twice"}}
    narrowed = part_for(state, "billing")
    assert (narrowed["subject"], narrowed["body"]) == ("Two things", "I was charged twice")
    assert part_for(state, "technical")["body"] == BODY
