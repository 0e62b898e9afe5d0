"""A policy as people read it: every rule with its value, and what a version changed."""

import json
from dataclasses import dataclass
from typing import Any

from app.console.views.words import duration, label, sums
from graphs.policy import Policy

# Rules whose numbers are sums by currency, in minor units.
SUMS = {"refund_auto_limit", "refund_second_approver_from"}
NOT_SET = "not set"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name in the policy, its value in words, and what it means."""

    name: str
    value: str
    meaning: str


def rules_of(body: dict[str, Any]) -> list[Rule]:
    """Every rule of a stored policy; those that were never set have their defaults."""
    policy = Policy.model_validate(body).model_dump(mode="json")
    return [
        Rule(name, value_text(name, policy[name]), _meaning(field.description))
        for name, field in Policy.model_fields.items()
    ]


def value_text(name: str, value: Any) -> str:
    """A rule's value in words: sums as money, times with their length, tables without brackets."""
    if value is None:
        return NOT_SET
    if isinstance(value, dict):
        if name in SUMS:
            return sums(value) or "none"
        return (
            ", ".join(f"{label(k).lower()} {value_text(k, v)}" for k, v in value.items()) or "none"
        )
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if name.endswith("_seconds") and value:
        return f"{value} ({duration(value)})"
    return str(value)


def _meaning(description: str | None) -> str:
    """The description of the API's reference, in the words of the page and without its marks."""
    return (description or "").replace("null:", f"{NOT_SET}:").replace("`", "")


def changed_lines(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Each rule whose value is another one, old and new; what was never set has its default."""
    old, new = (Policy.model_validate(body).model_dump(mode="json") for body in (before, after))
    return [
        f"{name}: {json.dumps(old[name], ensure_ascii=False)} → "
        f"{json.dumps(value, ensure_ascii=False)}"
        for name, value in new.items()
        if old[name] != value
    ]
