"""send: post the reply through the helpdesk, once per run. May reply, nothing else."""

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.policy import plan_rejected
from graphs.state import Outcome, SupportState
from tools.catalog import kind_of
from tools.helpdesk import REPLY
from tools.models import JsonObject, SentReply


async def send(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """Send the checked draft, or the holding reply, and name how the run ended."""
    draft = state["draft"]
    assert draft is not None, "respond and escalate always leave a draft"
    reply: SentReply = await runtime.context.toolbox("send").call(
        REPLY, {"text": draft["text"], "citations": draft["citations"], "public": True}
    )
    return {"reply": reply, "outcome": run_outcome(state)}


def run_outcome(state: SupportState) -> Outcome:
    """How the run ended, in one word."""
    if plan_rejected(state):
        return "rejected"
    if state.get("handoff"):
        return "escalated"
    acted = any(kind_of(effect["tool"]) == "action" for effect in state["effects"])
    return "acted" if acted else "answered"
