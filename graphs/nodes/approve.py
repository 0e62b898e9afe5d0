"""approve: wait for a person. Nothing before `interrupt` may have an effect."""

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from graphs.context import SupportContext
from graphs.policy import agreed, verdicts
from graphs.state import Decision, DecisionModel, Plan, SupportState
from graphs.text.new_text.ticket import with_messages
from tools.models import JsonObject


async def approve(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """Show the whole plan, stop the run, and take over the steps as the reviewer left them."""
    shown = state["plan"]
    assert shown is not None, "by_plan and by_progress send only plans here"
    question = {
        "kind": "plan",
        "verdicts": verdicts(shown),
        "expires_in_seconds": runtime.context.policy.approval_ttl_seconds,
        **shown,
    }
    decision = interrupt(question, response_schema=DecisionModel).root
    if decision["verdict"] == "respond":
        return {"decision": decision, **plan_again(state, decision)}
    if not agreed(decision):
        return {"decision": decision}
    plan: Plan = {**shown, "steps": decision["steps"], "changed": []}
    return {"decision": decision, "plan": plan}


def plan_again(state: SupportState, decision: Decision) -> JsonObject:
    """What the specialists begin again with: the reviewer's wish, and the customer's new words."""
    wishes = [decision["comment"]] if decision["comment"] else []
    return {
        "ticket": with_messages(state["ticket"], decision.get("messages", [])),
        "guidance": [*state["guidance"], *wishes],
        "round": state["round"] + 1,
        "findings": None,
        "plan": None,
    }
