"""review: a drafted reply waits for a person. Nothing before `interrupt` may have an effect."""

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from graphs.context import SupportContext
from graphs.policy import verdicts
from graphs.state import DecisionModel, Draft, SupportState
from tools.models import JsonObject


async def review(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """Show the draft, stop the run, and take over the text as the reviewer left it."""
    shown, draft = state["review"], state["draft"]
    assert shown is not None, "by_objections sends only reviews here"
    assert draft is not None, "a review shows a draft"
    question = {
        "kind": "reply",
        "verdicts": verdicts(shown),
        "expires_in_seconds": runtime.context.policy.approval_ttl_seconds,
        **shown,
    }
    decision = interrupt(question, response_schema=DecisionModel).root
    if decision["verdict"] == "respond":
        wishes = [decision["comment"]] if decision["comment"] else []
        return {
            "decision": decision,
            "guidance": [*state["guidance"], *wishes],
            "round": state["round"] + 1,
            "drafts": 0,
        }
    if decision["verdict"] != "edit":
        return {"decision": decision}
    edited: Draft = {**draft, "text": decision["steps"][0]["args"]["text"]}
    return {"decision": decision, "draft": edited}
