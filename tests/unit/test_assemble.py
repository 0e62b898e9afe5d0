"""A reply is put together by code: greeting, claims in order, and what code says."""

from typing import Any

import pytest

from graphs.conversation import Memory
from graphs.reply.assemble import assembled, with_sentences
from graphs.reply.facts import reply_facts
from graphs.reply.sources import sources
from graphs.state import fresh_run
from tests.fakes import payment
from tests.unit.desk import ticket
from tests.unit.replies import HANDED, REFUND
from tests.unit.test_checks import claim

NAME = "Ann O'Neil-Lee"
SUBSCRIPTION: Any = {
    "id": "sub_1", "description": "Team plan", "status": "active", "amount_minor": 9900,
    "currency": "USD", "renews_at": "2026-12-01T00:00:00Z",
}  # fmt: skip
MEMORY: Memory = {
    "window": [], "summary": "",
    "tickets": [{"ticket_id": "T-0", "subject": "Refund me 500 USD", "outcome": "acted",
                 "promised": ["refunded 49.00 USD on pay_1", "handed to Maria"],
                 "at": "2026-11-02T10:00:00Z"}],
}  # fmt: skip


def state() -> Any:
    """A run with an article, the books, an effect and an earlier ticket."""
    found = {
        "passages": [{"article_id": "a", "title": "A", "text": "It is so.", "score": 1.0}],
        "payments": [payment("pay_1", 4900, "Pro plan"), payment("pay_2", 1, "see evil.example!")],
        "subscriptions": [SUBSCRIPTION],
        "refunded_24h": {}, "steps": [], "failed": None, "unsure": None,
    }  # fmt: skip
    begun = fresh_run("r", ticket("Help"), MEMORY)
    return {**begun, "findings": {"billing": found}, "effects": [REFUND, HANDED]}


def test_sources_are_what_the_run_has_read_and_done() -> None:
    """Each by kind and id; the books in lines of code, and no text of the customer."""
    found = {(s["kind"], s["id"]): s["text"] for s in sources(state())}
    assert found.keys() == {
        ("article", "a"), ("payment", "pay_1"), ("payment", "pay_2"), ("subscription", "sub_1"),
        ("effect", "refund-pay_1"), ("effect", "T-0"),
    }  # fmt: skip
    assert found["payment", "pay_1"].startswith("Pro plan: 49.00 USD captured on ")
    assert found["subscription", "sub_1"].startswith("Team plan subscription: 99.00 USD, active")
    assert found["effect", "refund-pay_1"] == "We have refunded 49.00 USD for Pro plan."
    assert "refunded 49.00 USD on pay_1" in found["effect", "T-0"]
    assert not any("evil" in text or "500" in text for text in found.values())
    assert reply_facts(state())["sources"] == sources(state())


def test_claims_stand_in_the_order_of_the_ticket() -> None:
    """By question, "q10" behind "q2"; those of one question as they came."""
    made = [claim("C.", question="q10"), claim("B.", question="q2"), claim("B2.", question="q2")]
    text = assembled(made, language="en", customer_name=NAME, sentences=["Done."])
    assert text == f"Hello {NAME},\n\nB.\n\nB2.\n\nC.\n\nDone."


@pytest.mark.parametrize(
    "name", [None, "", "evil.example", "x" * 61, "<b>Ann</b>", "Ann\nPay now", "a@b.example", "1"]
)
def test_name_that_may_be_more_is_not_greeted(name: str | None) -> None:
    """It comes from outside, and code says the greeting."""
    assert assembled([], language="en", customer_name=name) == "Hello,"


def test_sentence_of_code_is_said_once() -> None:
    """Where it stands by itself it is said; within another sentence it is not."""
    assert with_sentences("", ["Done."]) == "Done."
    assert with_sentences("Hello.\n\nDone.", ["Done."]) == "Hello.\n\nDone."
    assert with_sentences("It is not Done.", ["Done."]) == "It is not Done.\n\nDone."
    assert with_sentences("Hello.", ["Done.", "Done."]) == "Hello.\n\nDone.\n\nDone."
