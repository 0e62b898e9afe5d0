"""What needs a person, and which node may do what. Pure functions over the tenant's policy."""

import hashlib
import json
from collections import Counter
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from graphs.state import Decision, DoneStep, Escalation, Plan, Triage
from tools.models import Step
from tools.money import format_money
from tools.tool import Currency, Permission

GRANTS: dict[str, frozenset[Permission]] = {
    "classify": frozenset(),
    "billing": frozenset({Permission.READ_PAYMENTS}),
    "technical": frozenset({Permission.SEARCH_ARTICLES}),
    "general": frozenset({Permission.SEARCH_ARTICLES}),
    "plan": frozenset(),
    "approve": frozenset(),
    "act": frozenset({Permission.MOVE_MONEY, Permission.SEND_BULK}),
    "respond": frozenset(),
    "check": frozenset(),
    "send": frozenset({Permission.REPLY}),
    "escalate": frozenset({Permission.CREATE_TICKET}),
}

LimitMinor = Annotated[int, Field(ge=0, le=10**12)]


class Policy(BaseModel):
    """A tenant's rules. Amounts are minor units by currency; a currency not named has limit 0."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    refund_auto_limit: dict[Currency, LimitMinor] = Field(
        default_factory=dict,
        description="What one customer may get back in 24 hours without a person, per currency.",
    )
    approval_ttl_seconds: Annotated[int, Field(ge=60, le=30 * 86_400)] = 86_400
    anger_threshold: Annotated[float, Field(ge=0, le=1)] = 0.8
    confidence_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5


def must_escalate(triage: Triage, policy: Policy) -> Escalation | None:
    """Why this ticket goes to a person whatever it asks for, or None."""
    if triage["wants_human"]:
        return {"reason": "human_requested", "detail": "The customer asks for a person."}
    if triage["anger"] >= policy.anger_threshold:
        anger = f"Anger {triage['anger']:.2f} reaches {policy.anger_threshold:.2f}."
        return {"reason": "anger", "detail": anger}
    if "escalate" in triage["intents"] or not triage["intents"]:
        return {"reason": "not_ours", "detail": "No specialist fits this ticket."}
    if triage["confidence"] < policy.confidence_threshold:
        doubt = f"Confidence {triage['confidence']:.2f} is below {policy.confidence_threshold:.2f}."
        return {"reason": "unsure", "detail": doubt}
    return None


def gate(steps: list[Step], policy: Policy, spent: dict[str, int]) -> list[str]:
    """Why a person must agree to these steps; empty when nobody needs to.

    `spent` is what the customer already got back in the last 24 hours, in minor units by currency:
    the limit counts the sum, so several small refunds cannot slip under it.
    """
    wanted: Counter[str] = Counter()
    for step in steps:
        if step["tool"] == "refund_payment":
            wanted[step["args"]["currency"]] += step["args"]["amount_minor"]
    reasons = []
    for currency, amount in sorted(wanted.items()):
        total = amount + spent.get(currency, 0)
        limit = policy.refund_auto_limit.get(currency, 0)
        if total > limit:
            reasons.append(
                f"refunds of {format_money(total, currency)} in 24 hours "
                f"exceed the limit of {format_money(limit, currency)}"
            )
    return reasons


def digest(kind: Literal["plan", "reply"], run_id: str, steps: list[Step]) -> str:
    """SHA-256 of exactly what a reviewer is shown, so that an answer fits only that.

    Canonical form after RFC 8785 for the values used here: sorted keys, no spaces, UTF-8.
    """
    shown = {"kind": kind, "run_id": run_id, "steps": steps}
    canonical = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def agreed(decision: Decision | None) -> bool:
    """Whether a person said yes to the plan, as it was or as they left it."""
    return decision is not None and decision["verdict"] in ("approve", "edit")


def next_step(plan: Plan | None, done: list[DoneStep]) -> Step | None:
    """The first step of the plan that has not been carried out."""
    finished = {step["step_id"] for step in done}
    steps = plan["steps"] if plan else []
    return next((step for step in steps if step["id"] not in finished), None)
