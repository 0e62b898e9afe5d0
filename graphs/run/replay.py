"""A replay: the state that it starts from, and the policy that applies. Pure functions."""

from collections.abc import Mapping
from typing import Any, cast

from graphs.policy import Policy, ReplyMode, verdicts
from graphs.state import Decision, Plan, Ticket, Triage
from graphs.text.new_text.ticket import with_body
from tools.models import JsonObject
from tools.rules import STRICTEST

UNKNOWN_TRIAGE: Triage = {
    "intents": [],
    "parts": {},
    "urgency": "normal",
    "anger": 0.0,
    "language": "en",
    "wants_human": False,
    "confidence": 1.0,
}


def replayed_state(values: Mapping[str, Any], run_id: str, changes: JsonObject) -> JsonObject:
    """A checkpoint's values as those of the run that replays it, with the caller's changes."""
    state: JsonObject = {**values, "run_id": run_id}
    if patch := changes.get("ticket"):
        ticket = cast("Ticket", {**values["ticket"], **patch})
        state["ticket"] = with_body(ticket, patch["body"]) if "body" in patch else ticket
    if patch := changes.get("triage"):
        # Slices of the text and questions belong to the intents that were found.
        state["triage"] = {**(values.get("triage") or UNKNOWN_TRIAGE), **patch, "parts": {}}
        state["questions"] = []
    if "guidance" in changes:
        state["guidance"] = changes["guidance"]
    return state


def replay_policy(policy: Policy, *, replied: bool) -> Policy:
    """The tenant's policy, with a person's decision for every effect and reply.

    A replay does what the first run did not do only when a person agrees: every gated effect, and
    the reply if none was sent.
    """
    strict: JsonObject = {**STRICTEST}
    if not replied:
        strict["reply_mode"] = ReplyMode(default="draft")
    return policy.model_copy(update=strict)


def rehearsed_decision(shown: Plan) -> Decision:
    """What a dry run answers itself at a gate: yes, unless the plan no longer fits."""
    agreed = "approve" in verdicts(shown)
    return {
        "approval_id": "",
        "verdict": "approve" if agreed else "reject",
        "steps": shown["steps"] if agreed else [],
        "comment": "",
        "decided_by": "dry run",
        "messages": [],
    }
