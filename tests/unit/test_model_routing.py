"""Which model writes a reply: every rule by itself, and no input that the rules do not answer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.findings import finding
from graphs.llm.routing import LONG_TEXT, MANY_PASSAGES, reasons_for_strong, tier_of
from graphs.state import Finding, Ticket, Triage
from tests.fakes import payment
from tools.models import Passage

HOW_TO: Ticket = {
    "subject": "Invite",
    "body": "How do I invite members?",
    "language": None,
    "customer_name": None,
}
CALM: Triage = {
    "intents": ["general"],
    "urgency": "normal",
    "anger": 0.0,
    "language": "en",
    "wants_human": False,
    "confidence": 0.9,
    "parts": {},
}
PASSAGE: Passage = {"article_id": "a", "title": "t", "text": "x", "score": 1.0}


def example(passages: int = 0, *, paid: bool = False) -> Finding:
    """What a specialist found."""
    payments = [payment("pay_1", 100, "Pro")] if paid else []
    return finding(passages=[PASSAGE] * passages, payments=payments)


def case(**changes: Any) -> tuple[Any, ...]:
    """A simple how-to question, but for what is changed."""
    plain = {
        "ticket": HOW_TO,
        "triage": CALM,
        "findings": {"general": example(2)},
        "plan": None,
        "drafts": 0,
    }
    return tuple({**plain, **changes}.values())


def test_simple_question_is_for_the_fast_model() -> None:
    """One calm intent, a few lines, one search."""
    assert tier_of(*case()) == "fast"


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("no_triage", {"triage": None}),
        ("several_intents", {"triage": CALM | {"intents": ["general", "technical"]}}),
        ("urgent", {"triage": CALM | {"urgency": "high"}}),
        ("urgent", {"triage": CALM | {"urgency": "critical"}}),
        ("money", {"findings": {"billing": example(paid=True)}}),
        ("long_text", {"ticket": HOW_TO | {"body": "x" * (LONG_TEXT + 1)}}),
        ("many_passages", {"findings": {"general": example(MANY_PASSAGES)}}),
        ("redraft", {"drafts": 1}),
    ],
)
def test_each_rule_alone_is_enough(rule: str, changes: dict[str, Any]) -> None:
    """A reason has a name, and one of them makes it the strong model."""
    assert reasons_for_strong(*case(**changes)) == [rule]
    assert tier_of(*case(**changes)) == "strong"


triages = st.none() | st.fixed_dictionaries(
    {
        "intents": st.lists(st.sampled_from(["billing", "technical", "general"]), unique=True),
        "urgency": st.sampled_from(["low", "normal", "high", "critical"]),
        "anger": st.floats(0, 1),
        "language": st.just("en"),
        "wants_human": st.booleans(),
        "confidence": st.floats(0, 1),
    }
)
findings = st.dictionaries(
    st.sampled_from(["billing", "technical", "general"]),
    st.builds(example, st.integers(0, 9), paid=st.booleans()),
)


@given(
    triage=triages, found=findings, body=st.text(max_size=3 * LONG_TEXT), drafts=st.integers(0, 3)
)
def test_more_work_never_means_a_weaker_model(
    triage: Any, found: Any, body: str, drafts: int
) -> None:
    """Adding text, passages, payments or a redraft never takes the strong model away."""
    ticket: Ticket = {**HOW_TO, "body": body}
    before = reasons_for_strong(ticket, triage, found, None, drafts)
    more = {**found, "general": example(MANY_PASSAGES, paid=True)}
    longer: Ticket = {**ticket, "body": f"{body}!"}
    after = reasons_for_strong(longer, triage, more, None, drafts + 1)
    assert set(before) <= set(after)
    assert tier_of(longer, triage, more, None, drafts + 1) == "strong"
