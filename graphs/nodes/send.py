"""send: post the reply through the helpdesk, once per run. May reply, nothing else."""

from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from graphs.asked_about import which_was_asked
from graphs.context import SupportContext
from graphs.policy import plan_rejected
from graphs.questions import asked_questions
from graphs.quiet import is_without_reply, silenced
from graphs.reply.assemble import with_sentences
from graphs.reply.said_by_code import said_by_code
from graphs.state import SPECIALISTS, Outcome, Specialist, SupportState
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
        return {"outcome": run_outcome(state), "asked_about": None}
    draft = state["draft"]
    assert draft is not None, "respond and escalate always leave a draft"
    # The holding reply is code's own, and whole.
    said = [] if state["handoff"] else said_by_code(state)
    text = with_sentences(draft["text"], said)
    args = {"text": text, "citations": draft["citations"], "public": True}
    try:
        reply: SentReply = await runtime.context.toolbox("send").call(REPLY, args)
    except SilencedError as why:
        update = {**silenced(state, why, run_outcome(state)), "asked_about": None}
        return update if "outcome" in update else Command(update=update, goto="escalate")
    return {
        "reply": reply,
        "draft": {**draft, "text": text},
        "asked_once": asked_once(state),
        "asked_about": which_was_asked(state, runtime.context.caller.customer_id),
        "outcome": run_outcome(state),
    }


def asked_once(state: SupportState) -> list[Specialist]:
    """Who has asked the customer back on this thread, this reply's questions among them."""
    asked = {question["question"] for question in state.get("asked_back", [])}
    sent = (
        []
        if state["handoff"]
        else [q["intent"] for q in asked_questions(state) if q["id"] in asked]
    )
    known = {*state.get("asked_once", []), *sent}
    return [name for name in SPECIALISTS if name in known]


def run_outcome(state: SupportState) -> Outcome:
    """How the run ended, in one word."""
    if plan_rejected(state):
        return "rejected"
    if state.get("handoff"):
        return "escalated"
    kinds = {kind_of(effect["tool"]) for effect in state["effects"]}
    if state.get("asked_back") and "handoff" not in kinds:
        return "asked"
    return "acted" if "action" in kinds else "answered"
