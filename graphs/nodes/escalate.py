"""escalate: hand the ticket to a person and write the holding reply. May open a hand-off."""

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.handoffs import handoff_brief, skill_for
from graphs.policy import plan_rejected
from graphs.reply.facts import reply_facts
from graphs.reply.names import names_in, reply_language, text_of
from graphs.state import Draft, Escalation, SupportState
from graphs.text.phrases import DECLINED, THANKS
from tools.helpdesk import HANDOFF
from tools.models import Handoff, JsonObject


async def escalate(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """Open the hand-off with all that is known, and draft what the customer reads meanwhile."""
    why = reason(state)
    triage = state.get("triage")
    handoff: Handoff = await runtime.context.toolbox("escalate").call(
        HANDOFF,
        {
            "skill": skill_for(state, why),
            "urgency": triage["urgency"] if triage else "normal",
            "summary": handoff_brief(state, why),
        },
    )
    draft: Draft = {"text": holding_reply(state, handoff), "citations": []}
    return {"escalation": why, "handoff": handoff, "draft": draft}


def reason(state: SupportState) -> Escalation:
    """Why a person takes over: what a node noted, or the reviewer's answer."""
    if noted := state.get("escalation"):
        return noted
    decision = state.get("decision")
    if decision and decision["verdict"] == "expire":
        return {"reason": "expired", "detail": "No decision came in time."}
    if decision and decision["verdict"] == "reject":
        what = "plan" if plan_rejected(state) else "reply"
        by = f"{decision['decided_by']} said no to the {what}"
        return {"reason": "rejected", "detail": f"{by}: {decision['comment'] or 'no comment'}"}
    return {"reason": "unknown", "detail": "The workflow found no way on."}


def holding_reply(state: SupportState, handoff: Handoff) -> str:
    """What was done, that a person goes on, and no promise."""
    language, facts = reply_language(state), reply_facts(state)
    done = [effect["sentence"] for effect in facts["effects"] if effect["sentence"]]
    handed = [part["sentence"] for part in facts["handed_over"]]
    lines = [THANKS.fill(language), *done, *handed]
    if plan_rejected(state):
        lines.append(DECLINED.fill(language))
    return " ".join([*lines, text_of(HANDOFF.wording({}, {**handoff}, names_in(())), language)])
