"""A policy as people read it: every rule with its value, and what a version changed."""

from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class Beside:
    """One rule in two versions, in words."""

    name: str
    before: str
    after: str

    @property
    def differs(self) -> bool:
        """Whether the versions have other values."""
        return self.before != self.after


def rules_of(body: Mapping[str, Any]) -> list[Rule]:
    """Every rule of a stored policy; those that were never set have their defaults."""
    policy = _values(body)
    return [
        Rule(name, value_text(name, policy[name]), meaning_of(field.description))
        for name, field in Policy.model_fields.items()
    ]


def beside(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Beside]:
    """Every rule in both of two stored policies."""
    old, new = _values(before), _values(after)
    return [Beside(name, value_text(name, old[name]), value_text(name, new[name])) for name in new]


def changed_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Each rule whose value is another one, old and new; what was never set has its default."""
    return [f"{one.name}: {one.before} → {one.after}" for one in beside(before, after)
            if one.differs]  # fmt: skip


def _values(body: Mapping[str, Any]) -> dict[str, Any]:
    return Policy.model_validate(body).model_dump(mode="json")


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
        return f"{value} ({shown_seconds(name, value)})"
    return str(value)


def shown_seconds(name: str, value: int) -> str:
    """The length of a rule that is in seconds; "" for any other."""
    return duration(value) if name.endswith("_seconds") else ""


def meaning_of(description: str | None) -> str:
    """The description of the API's reference, in the words of the page and without its marks."""
    return (description or "").replace("null:", f"{NOT_SET}:").replace("`", "")
