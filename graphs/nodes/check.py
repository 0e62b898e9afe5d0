"""check: hold the draft against the facts. Pure code, no model, no grants."""

from collections.abc import Iterator

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.policy import drafts_only
from graphs.questions import asked_questions, unsettled
from graphs.reply.checks import MAX_REDRAFTS, objections
from graphs.reply.facts import reply_facts
from graphs.reply.instructions import reply_instructions
from graphs.reply.said_by_code import said_by_code
from graphs.state import ClaimVerdict, Draft, Escalation, Objection, Plan, SupportState
from tools.helpdesk import REPLY, REPLY_STEP, ReplyArgs
from tools.models import Evidence, JsonObject

# What another draft cannot set right: the sources do not answer.
HOPELESS = frozenset({"no_answer", "left_open"})
REASON_CHARS = 300


async def check(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """List what is wrong with the draft; say when a person must see it, or take over."""
    draft = state["draft"]
    assert draft is not None, "respond always leaves a draft"
    edited = was_edited(state)
    found = problems(state, draft, edited=edited or draft.get("released", False))
    hopeless = any(objection["rule"] in HOPELESS for objection in found)
    if found and not edited and (hopeless or state["drafts"] > MAX_REDRAFTS):
        detail = "; ".join(objection["detail"] for objection in found)[:1000]
        unanswered: Escalation = {"reason": "no_valid_reply", "detail": detail}
        # The person who takes over reads it as a suggestion, and why it did not leave.
        refused = {"refused_draft": draft} if draft["text"] else {}
        return {"objections": found, "review": None, "escalation": unanswered, **refused}
    triage = state.get("triage")
    asks = drafts_only(runtime.context.policy, triage["intents"] if triage else [])
    shown = (found and edited) or (not found and asks and not edited)
    return {"objections": found, "review": reply_review(state, draft, found) if shown else None}


def problems(state: SupportState, draft: Draft, *, edited: bool) -> list[Objection]:
    """Every reason why the draft may not leave, the verifier's among them."""
    triage = state.get("triage")
    found = objections(
        draft,
        reply_facts({**state, "questions": asked_questions(state)}),
        state["ticket"],
        language=triage["language"] if triage else None,
        prompt=reply_instructions(state["run_id"]),
        grounding=draft.get("grounding", "quotes"),
        edited=edited,
    )
    if edited:
        return found
    if "claims" not in draft:
        # Of a release whose drafts had none, and not yet checked there.
        return [*found, {"rule": "quotes", "detail": "Nothing shows what the reply says."}]
    return [*found, *left_open(state, draft), *unsupported(state.get("verdicts", []))]


def left_open(state: SupportState, draft: Draft) -> Iterator[Objection]:
    """The questions that the sources do not answer, as the model says itself."""
    for question in unsettled(state, draft.get("unanswered", [])):
        detail = f"Nothing that was found answers {question['text'][:REASON_CHARS]!r}."
        yield {"rule": "left_open", "detail": detail}


def unsupported(verdicts: list[ClaimVerdict]) -> Iterator[Objection]:
    """The claims that the verifier refused."""
    for verdict in verdicts:
        if not verdict["supported"]:
            why = verdict["reason"][:REASON_CHARS]
            said = verdict["text"][:REASON_CHARS]
            yield {"rule": "support", "detail": f"The evidence does not support {said!r}: {why}"}


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
    """The question whether this reply may leave; rules that a reviewer's text broke are named.

    What code says itself stands below it as evidence, and no edit reaches it.
    """
    args = ReplyArgs(text=draft["text"], citations=draft["citations"], public=True)
    evidence: list[Evidence] = [
        {"kind": "article", "id": p["article_id"], "summary": p["title"]}
        for p in reply_facts(state)["passages"]
        if p["article_id"] in draft["citations"]
    ]
    evidence += [
        {"kind": "appended", "id": REPLY_STEP, "summary": said} for said in said_by_code(state)
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
