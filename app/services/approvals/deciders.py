"""Who decided: the key, the person it stands for, and what refusals and the graph say of it."""

from typing import Any

from app.db.tables.approvals_and_ledger import Decision
from app.db.tables.tenants import ApiKey
from app.errors import MissingScopeError

# Lets a key name the person it decides for, such as one who is logged in to a helpdesk.
ON_BEHALF_OF = "approvals:on_behalf_of"


def check_named(approver: ApiKey, on_behalf_of: str | None) -> None:
    """Let a key name a person if it may. Raises MissingScopeError."""
    if on_behalf_of is not None and ON_BEHALF_OF not in approver.scopes:
        raise MissingScopeError(f"Naming a person needs a key with the scope {ON_BEHALF_OF}.")


def spoken(key: str, on_behalf_of: str | None) -> str:
    """Who decided, for people: never a named person without the key that named them."""
    return f"{on_behalf_of} through {key}" if on_behalf_of else key


def spoken_of(decision: Decision) -> str:
    """Who gave the decision, for people."""
    return spoken(decision.decided_by, decision.on_behalf_of)


def signature(decision: Decision) -> str:
    """Who decided, with the id of the key."""
    return spoken(f"{decision.decided_by} ({decision.key_id})", decision.on_behalf_of)


def decider(decision: Decision) -> dict[str, str | None]:
    """Who decided, as the API shows it everywhere."""
    return {
        "key_id": decision.key_id,
        "name": decision.decided_by,
        "on_behalf_of": decision.on_behalf_of,
    }


def decision_summary(decision: Decision) -> dict[str, Any]:
    """One person's answer, for the body of a refusal."""
    return {
        "verdict": decision.verdict,
        "decided_by": decider(decision),
        "comment": decision.comment,
    }


def closing_summary(decision: dict[str, Any]) -> dict[str, Any]:
    """What closed an approval, for the body of a refusal; `decided_by` is the last who agreed."""
    deciders = decision.get("deciders") or [None]
    return {
        "verdict": decision.get("verdict"),
        "decided_by": deciders[-1],
        "comment": decision.get("comment"),
    }
