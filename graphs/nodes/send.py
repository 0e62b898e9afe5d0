"""send: post the reply through the helpdesk, once per run. May reply, nothing else."""

from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from graphs.context import SupportContext
from graphs.policy import plan_rejected
from graphs.quiet import is_without_reply, silenced
from graphs.state import Outcome, SupportState
from tools.catalog import kind_of
from tools.errors import SilencedError
from tools.helpdesk import REPLY
from tools.models import JsonObject, SentReply


async def send(
    state: SupportState, runtime: Runtime[SupportContext]
) -> JsonObject | Command[Literal["escalate"]]:
    """Send the checked draft, or the holding reply, and name how the run ended.

    A thread that may get no reply gets none; over its limit of replies it goes to a person.
    """
    if is_without_reply(state):
        return {"outcome": run_outcome(state)}
    draft = state["draft"]
    assert draft is not None, "respond and escalate always leave a draft"
    args = {"text": draft["text"], "citations": draft["citations"], "public": True}
    try:
        reply: SentReply = await runtime.context.toolbox("send").call(REPLY, args)
    except SilencedError as why:
        update = silenced(state, why, run_outcome(state))
        return update if "outcome" in update else Command(update=update, goto="escalate")
    return {"reply": reply, "outcome": run_outcome(state)}


def run_outcome(state: SupportState) -> Outcome:
    """How the run ended, in one word."""
    if plan_rejected(state):
        return "rejected"
    if state.get("handoff"):
        return "escalated"
    acted = any(kind_of(effect["tool"]) == "action" for effect in state["effects"])
    return "acted" if acted else "answered"
