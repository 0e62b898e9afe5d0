"""check: hold the draft against the facts. Pure code, no model, no grants."""

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.policy import drafts_only
from graphs.reply.checks import MAX_REDRAFTS, objections
from graphs.reply.facts import reply_facts
from graphs.reply.instructions import reply_instructions
from graphs.state import Draft, Escalation, Objection, Plan, SupportState
from tools.helpdesk import REPLY, REPLY_STEP, ReplyArgs
from tools.models import Evidence, JsonObject


async def check(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """List what is wrong with the draft; say when a person must see it, or take over."""
    draft = state["draft"]
    assert draft is not None, "respond always leaves a draft"
    triage = state.get("triage")
    found = objections(
        draft,
        reply_facts(state),
        state["ticket"],
        language=triage["language"] if triage else None,
        prompt=reply_instructions(state["run_id"]),
    )
    hopeless = any(objection["rule"] == "no_answer" for objection in found)
    edited = was_edited(state)
    if found and not edited and (hopeless or state["drafts"] > MAX_REDRAFTS):
        detail = "; ".join(objection["detail"] for objection in found)[:1000]
        unanswered: Escalation = {"reason": "no_valid_reply", "detail": detail}
        # The person who takes over reads it as a suggestion, and why it did not leave.
        refused = {"refused_draft": draft} if draft["text"] else {}
        return {"objections": found, "review": None, "escalation": unanswered, **refused}
    asks = drafts_only(runtime.context.policy, triage["intents"] if triage else [])
    shown = (found and edited) or (not found and asks and not edited)
    return {"objections": found, "review": reply_review(state, draft, found) if shown else None}


def was_edited(state: SupportState) -> bool:
    """Whether the draft is a reviewer's text."""
    decision, draft = state["decision"], state["draft"]
    return (
        state["review"] is not None
        and decision is not None
        and decision["verdict"] == "edit"
        and draft is not None
        and draft["text"] == decision["steps"][0]["args"]["text"]
    )


def reply_review(state: SupportState, draft: Draft, found: list[Objection]) -> Plan:
    """The question whether this reply may leave; rules that a reviewer's text broke are named."""
    args = ReplyArgs(text=draft["text"], citations=draft["citations"], public=True)
    evidence: list[Evidence] = [
        {"kind": "article", "id": p["article_id"], "summary": p["title"]}
        for p in reply_facts(state)["passages"]
        if p["article_id"] in draft["citations"]
    ]
    step = REPLY.step(REPLY_STEP, args, "Replies to such tickets wait for a person.", evidence)
    changed = [f"{o['rule']}: {o['detail']}" for o in found]
    return {
        "steps": [step],
        "gate": ["the tenant's policy drafts replies"],
        "required_approvers": 1,
        "changed": changed,
        "round": state["round"],
    }
