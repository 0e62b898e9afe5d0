"""When a plan needs a person: sums and borders."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graphs.policy import GRANTS, Policy, gate, must_escalate, next_step
from graphs.state import DoneStep, Plan, Triage
from graphs.support import build_support_graph
from tests.fakes import World
from tools.billing import REFUND
from tools.models import Step

AMOUNT = st.integers(min_value=1, max_value=10**12)
CURRENCY = st.sampled_from(["USD", "EUR", "JPY"])
REFUNDS = st.lists(st.tuples(CURRENCY, AMOUNT), max_size=8)
SUMS = st.dictionaries(CURRENCY, st.integers(min_value=0, max_value=10**12))
RUN = "00000000-0000-0000-0000-000000000001"
HANDLERS = {name for name in build_support_graph().nodes if name.startswith("__")}
CALM: Triage = {
    "intents": ["billing"],
    "parts": {},
    "urgency": "normal",
    "anger": 0.0,
    "language": "en",
    "wants_human": False,
    "confidence": 1.0,
}


def step(amount: int, currency: str = "USD", number: int = 1) -> Step:
    """One refund of a plan."""
    return {
        "id": f"refund-pay_{number}",
        "tool": "refund_payment",
        "args": {
            "payment_id": f"pay_{number}",
            "amount_minor": amount,
            "currency": currency,
            "reason": "because",
        },
        "editable": ["amount_minor"],
        "reason": "because",
        "risk": "moves money",
        "evidence": [{"kind": "payment", "id": f"pay_{number}", "summary": "seen"}],
    }


def steps_of(refunds: list[tuple[str, int]]) -> list[Step]:
    """A plan's steps for currencies and amounts."""
    return [step(amount, currency, at) for at, (currency, amount) in enumerate(refunds)]


def total(refunds: list[tuple[str, int]], currency: str) -> int:
    """What the refunds move in one currency."""
    return sum(amount for other, amount in refunds if other == currency)


@pytest.mark.parametrize(
    ("amount", "asks"), [(1, False), (49_999, False), (50_000, False), (50_001, True)]
)
def test_limit_itself_needs_no_person_and_one_more_does(amount: int, asks: bool) -> None:
    """The limit is what a customer may get, to the last minor unit."""
    assert bool(gate([step(amount)], Policy(refund_auto_limit={"USD": 50_000}), {})) == asks


def test_without_a_limit_every_refund_asks() -> None:
    """A tenant that set nothing, or another currency, or 0, trusts no refund."""
    for policy in (
        Policy(),
        Policy(refund_auto_limit={"EUR": 10**6}),
        Policy(refund_auto_limit={"USD": 0}),
    ):
        [why] = gate([step(1)], policy, {})
        assert why == "refunds of 0.01 USD in 24 hours exceed the limit of 0.00 USD"


@given(refunds=REFUNDS, spent=SUMS, limits=SUMS)
def test_gate_counts_sums_by_currency_with_what_was_spent(
    refunds: list[tuple[str, int]], spent: dict[str, int], limits: dict[str, int]
) -> None:
    """One reason for each currency whose sum is over its own limit, and no other."""
    over = sorted(
        currency
        for currency in {currency for currency, _ in refunds}
        if total(refunds, currency) + spent.get(currency, 0) > limits.get(currency, 0)
    )
    reasons = gate(steps_of(refunds), Policy(refund_auto_limit=limits), spent)
    assert [reason.split()[3] for reason in reasons] == over


@given(parts=st.lists(AMOUNT, min_size=1, max_size=8), limit=AMOUNT, spent=AMOUNT)
def test_splitting_never_slips_under(parts: list[int], limit: int, spent: int) -> None:
    """Many small refunds in one plan, or one after the other, are judged as their sum is."""
    policy = Policy(refund_auto_limit={"USD": limit})
    whole = bool(sum(parts) + spent > limit)
    assert bool(gate(steps_of([("USD", part) for part in parts]), policy, {"USD": spent})) == whole
    passed = spent
    for part in parts:
        if gate([step(part)], policy, {"USD": passed}):
            break
        passed += part
    assert passed <= max(limit, spent)
    assert (passed < spent + sum(parts)) == whole


def test_plan_without_money_asks_no_person() -> None:
    """Nothing to do needs no approval, whatever was spent before."""
    assert gate([], Policy(), {"USD": 10**9}) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"anger": 0.79}, None),
        ({"anger": 0.8}, "anger"),
        ({"anger": 1.0}, "anger"),
        ({"confidence": 0.5}, None),
        ({"confidence": 0.49}, "unsure"),
        ({"wants_human": True}, "human_requested"),
        ({"intents": ["billing", "escalate"]}, None),
        ({"intents": ["escalate"]}, "not_ours"),
        ({"intents": []}, "not_ours"),
        ({"wants_human": True, "anger": 1.0, "intents": [], "confidence": 0.0}, "human_requested"),
        ({"anger": 1.0, "intents": [], "confidence": 0.0}, "anger"),
    ],
)
def test_thresholds_decide_who_goes_to_a_person(changed: Any, reason: str | None) -> None:
    """Anger from its threshold on, doubt below its own; a wish for a person before all else."""
    why = must_escalate({**CALM, **changed}, Policy())
    assert (why and why["reason"]) == reason


def test_tenant_sets_its_own_thresholds() -> None:
    """0 anger tolerated sends everybody to a person; 1 doubt tolerated sends none."""
    assert must_escalate(CALM, Policy(anger_threshold=0)) is not None
    assert must_escalate({**CALM, "confidence": 0.0}, Policy(confidence_threshold=0)) is None


@pytest.mark.parametrize(
    "body",
    [
        {"refund_auto_limit": {"USD": -1}},
        {"refund_auto_limit": {"USD": 1.5}},
        {"refund_auto_limit": {"USD": "100"}},
        {"refund_auto_limit": {"USD": True}},
        {"refund_auto_limit": {"usd": 100}},
        {"refund_auto_limit": {"USD": 10**12 + 1}},
        {"approval_ttl_seconds": 59},
        {"approval_ttl_seconds": 30 * 86_400 + 1},
        {"anger_threshold": 1.01},
        {"confidence_threshold": -0.01},
        {"refund_limit": {}},
    ],
)
def test_policy_refuses_what_it_does_not_understand(body: Any) -> None:
    """A misspelt or impossible rule is an error, never a rule that is silently not there."""
    with pytest.raises(ValidationError):
        Policy.model_validate(body)


def test_grants_name_the_nodes_of_the_graph() -> None:
    """No line without a node, no grant without a line; only act moves money."""
    assert set(GRANTS) <= set(build_support_graph().nodes) - HANDLERS
    assert World().toolbox("another").grants == frozenset()
    assert [node for node in GRANTS if REFUND.permission in GRANTS[node]] == ["act"]


def done(made: Step) -> DoneStep:
    """The step, carried out."""
    return {"step_id": made["id"], "tool": made["tool"], "args": made["args"], "result": {}}


def test_next_step_is_the_first_that_is_not_done() -> None:
    """In the plan's order; None when all are done, or when there is no plan."""
    first, second = step(1), step(2, number=2)
    plan: Plan = {
        "steps": [first, second],
        "gate": [],
        "required_approvers": 1,
        "changed": [],
        "round": 0,
    }
    assert next_step(plan, []) == first
    assert next_step(plan, [done(first)]) == second
    assert next_step(plan, [done(second), done(first)]) is None
    assert next_step(None, []) is None
