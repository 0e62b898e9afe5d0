"""Which rules a new policy makes looser: more that happens without a person, or for more money.

Every field of the policy is named here, in one table or in the other; a law holds it.
"""

from collections.abc import Callable, Mapping
from typing import Any, get_args

from graphs.policy import Budgets, Policy, ReplyMode
from graphs.state import Intent

# Whether the second value is looser than the first.
IsLooser = Callable[[Any, Any], bool]


def higher_limit(old: Mapping[str, int], new: Mapping[str, int]) -> bool:
    """Whether more may move in any currency; one that is not named has limit 0."""
    return any(limit > old.get(currency, 0) for currency, limit in new.items())


def later_threshold(old: Mapping[str, int], new: Mapping[str, int]) -> bool:
    """Whether a second person is asked later, or never, in any currency."""
    return any(currency not in new or new[currency] > least for currency, least in old.items())


def higher(old: int, new: int) -> bool:
    """Whether a threshold is reached later."""
    return new > old


def more_models(old: list[str] | None, new: list[str] | None) -> bool:
    """Whether a model may decide alone that might not before; None is every configured one."""
    return old is not None and (new is None or not set(new) <= set(old))


def fewer_drafts(old: ReplyMode, new: ReplyMode) -> bool:
    """Whether replies to any intent no longer wait for a person."""
    return any(
        old.by_intent.get(intent, old.default) == "draft"
        and new.by_intent.get(intent, new.default) == "auto"
        for intent in get_args(Intent)
    )


def higher_budget(old: Budgets, new: Budgets) -> bool:
    """Whether models may cost more; None is no limit."""
    return any(
        before is not None and (after is None or after > before)
        for before, after in (
            (old.run_micro_usd, new.run_micro_usd),
            (old.day_micro_usd, new.day_micro_usd),
        )
    )


LOOSER: dict[str, IsLooser] = {
    "refund_auto_limit": higher_limit,
    "refund_second_approver_from": later_threshold,
    "bulk_mail_gate_from": higher,
    "auto_approve_models": more_models,
    "reply_mode": fewer_drafts,
    "budgets": higher_budget,
}
# They move no money and remove no gate, whatever their values are.
NEUTRAL = frozenset(
    {
        "grounding",
        "approval_ttl_seconds",
        "anger_threshold",
        "confidence_threshold",
        "without_model",
        "trained_triage",
        "rates",
        "answer_cache_seconds",
        "retention",
        "trace_content",
        "trace_share",
        "replies_per_thread_hour",
        "replies_per_thread_day",
        "handoff_hold_hours",
    }
)


def loosened(old: Policy, new: Policy) -> list[str]:
    """The names of the rules that are looser in the new policy, in the order of its fields."""
    return [
        name
        for name in Policy.model_fields
        if (looser := LOOSER.get(name)) and looser(getattr(old, name), getattr(new, name))
    ]
