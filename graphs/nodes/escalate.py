"""escalate: hand the ticket to a person with a suggestion, and write the holding reply.

May open a hand-off and search articles.
"""

import asyncio

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.handoffs import handoff_brief, skill_for
from graphs.policy import plan_rejected
from graphs.reply.facts import reply_facts
from graphs.reply.names import names_in, reply_language, text_of
from graphs.reply.suggestion import ARTICLES, best_articles, found_passages, suggestion
from graphs.state import Draft, Escalation, SupportState
from graphs.text.phrases import DECLINED, THANKS
from tools.errors import RunLostError
from tools.helpdesk import HANDOFF
from tools.knowledge import SEARCH_ARTICLES
from tools.models import Handoff, JsonObject, Passage
from tools.toolbox import Toolbox

# Less than the node's 30 s, so that the hand-off itself always has its time.
SEARCH_SECONDS = 10.0


async def escalate(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """Open the hand-off with all that is known, and draft what the customer reads meanwhile."""
    why = reason(state)
    triage = state.get("triage")
    passages = found_passages(state) or await searched(state, runtime.context.toolbox("escalate"))
    offered, articles = suggestion(state, passages), best_articles(passages)
    opened: Handoff = await runtime.context.toolbox("escalate").call(
        HANDOFF,
        {
            "skill": skill_for(state, why),
            "urgency": triage["urgency"] if triage else "normal",
            "summary": handoff_brief(state, why),
            "suggestion": offered,
            "articles": articles,
        },
    )
    draft: Draft = {"text": holding_reply(state, opened), "citations": []}
    handoff: Handoff = {**opened, "suggestion": offered, "articles": articles}
    return {"escalation": why, "handoff": handoff, "draft": draft}


async def searched(state: SupportState, toolbox: Toolbox) -> list[Passage]:
    """The articles that fit the ticket; none when the search fails, which stops no hand-off."""
    ticket = state["ticket"]
    asked = [text for text in (ticket["subject"], ticket["body"]) if text.strip()]
    args = {"queries": asked, "language": reply_language(state), "limit": ARTICLES}
    try:
        async with asyncio.timeout(SEARCH_SECONDS):
            found: list[Passage] = await toolbox.call(SEARCH_ARTICLES, args) if asked else []
    except (GraphBubbleUp, RunLostError):
        raise
    except Exception:  # noqa: BLE001  # whatever it is: a person is worth more than articles
        return []
    return found


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
