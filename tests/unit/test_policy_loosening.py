"""What of a policy is looser: more without a person, or for more money; every field is judged."""

from typing import Any

import pytest

from graphs.policy import Policy
from graphs.policy_loosening import LOOSER, NEUTRAL, loosened

USD = {"refund_auto_limit": {"USD": 100}, "refund_second_approver_from": {"USD": 500}}


def test_every_field_of_the_policy_is_judged_once() -> None:
    """A new field does not start without a decision whether it can loosen limits."""
    assert LOOSER.keys() | NEUTRAL == Policy.model_fields.keys()
    assert not LOOSER.keys() & NEUTRAL


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"refund_auto_limit": {"USD": 1}}),
        ({"refund_auto_limit": {"USD": 1}}, {"refund_auto_limit": {"USD": 2}}),
        ({"refund_auto_limit": {"USD": 9}}, {"refund_auto_limit": {"USD": 1, "EUR": 1}}),
        (
            {"refund_second_approver_from": {"USD": 5}},
            {"refund_second_approver_from": {"USD": 6}},
        ),
        ({"refund_second_approver_from": {"USD": 5}}, {}),
        (
            {"refund_second_approver_from": {"USD": 5}},
            {"refund_second_approver_from": {"EUR": 1}},
        ),
        ({"bulk_mail_gate_from": 10}, {"bulk_mail_gate_from": 11}),
        ({"auto_approve_models": []}, {"auto_approve_models": ["m"]}),
        ({"auto_approve_models": ["m"]}, {"auto_approve_models": ["n"]}),
        ({"auto_approve_models": ["m"]}, {"auto_approve_models": None}),
        ({"reply_mode": {"default": "draft"}}, {"reply_mode": {"default": "auto"}}),
        (
            {"reply_mode": {"default": "draft"}},
            {"reply_mode": {"default": "draft", "by_intent": {"billing": "auto"}}},
        ),
        ({"reply_mode": {"by_intent": {"billing": "draft"}}}, {"reply_mode": {}}),
        ({"budgets": {"run_micro_usd": 5}}, {"budgets": {"run_micro_usd": 6}}),
        ({"budgets": {"day_micro_usd": 5}}, {"budgets": {}}),
    ],
)
def test_looser_one_way_and_not_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    """A looser rule is named; the way back is looser only where two things changed at once."""
    old, new = Policy.model_validate(before), Policy.model_validate(after)
    [name] = loosened(old, new)
    assert name in {*before, *after}
    assert loosened(new, new) == []
    both = "EUR" in str(after) or after == {"auto_approve_models": ["n"]}
    assert bool(loosened(new, old)) == both


@pytest.mark.parametrize(
    "tighter",
    [
        {"refund_auto_limit": {}},
        {"refund_auto_limit": {"USD": 99}},
        {"refund_second_approver_from": {"USD": 499}},
        {"refund_second_approver_from": {"USD": 500, "EUR": 1}},
        {"bulk_mail_gate_from": 0},
        {"auto_approve_models": []},
        {"reply_mode": {"default": "draft"}},
        {"budgets": {"run_micro_usd": 0}},
        {"anger_threshold": 1.0, "confidence_threshold": 0.0, "approval_ttl_seconds": 60},
    ],
)
def test_tighter_and_neutral_changes_loosen_nothing(tighter: dict[str, Any]) -> None:
    """They apply at once, by any admin."""
    assert loosened(Policy.model_validate(USD), Policy.model_validate(USD | tighter)) == []
