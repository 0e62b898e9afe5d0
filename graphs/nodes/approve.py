"""approve: wait for a person. Nothing before `interrupt` may have an effect."""

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from graphs.context import SupportContext
from graphs.policy import agreed
from graphs.state import Decision, Plan, SupportState
from tools.models import JsonObject

VERDICTS = ["approve", "edit", "reject"]


async def approve(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """Show the whole plan, stop the run, and take over the steps as the reviewer left them."""
    shown = state["plan"]
    assert shown is not None, "by_plan sends only plans here"
    question = {
        "kind": "plan",
        "verdicts": VERDICTS,
        "expires_in_seconds": runtime.context.policy.approval_ttl_seconds,
        **shown,
    }
    decision = interrupt(question, response_schema=Decision)
    if not agreed(decision):
        return {"decision": decision}
    plan: Plan = {**shown, "steps": decision["steps"]}
    return {"decision": decision, "plan": plan}
