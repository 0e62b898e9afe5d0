"""check: hold the draft against the facts. Pure code, no model, no grants."""

from langgraph.runtime import Runtime

from graphs.context import SupportContext
from graphs.handoffs import part_step
from graphs.held_questions import only_held
from graphs.policy import drafts_only
from graphs.quiet import ignored
from graphs.reply.checks import MAX_REDRAFTS
from graphs.reply.facts import reply_facts
from graphs.reply.partial_answer import PartialAnswer, partial_answer
from graphs.reply.problems import LEFT_OPEN, problems
from graphs.reply.said_by_code import said_by_code
from graphs.state import SPECIALISTS, Draft, Escalation, Objection, Plan, SupportState
from tools.helpdesk import REPLY, REPLY_STEP, ReplyArgs
from tools.models import Evidence, JsonObject, Step

# What another draft cannot set right: the sources do not answer.
HOPELESS = frozenset({"no_answer", LEFT_OPEN})


async def check(state: SupportState, runtime: Runtime[SupportContext]) -> JsonObject:
    """List what is wrong with the draft; say when a person must see it, or take over.

    Once no other draft is made, the questions that it answers well are answered and a person gets
    the others; the whole ticket, when none is.
    """
    draft = state["draft"]
    assert draft is not None, "respond always leaves a draft"
    edited = was_edited(state)
    found = problems(state, draft, edited=edited or draft.get("released", False))
    if found and not edited and is_last(state, draft, found):
        partial = partial_answer(state, draft, found)
        if partial is None:
            return attached(state) or refused(draft, found)
        if partial.open:
            return handed_over(state, draft, found, partial)
        draft, found = partial.draft, []
    triage = state.get("triage")
    asks = drafts_only(runtime.context.policy, triage["intents"] if triage else [])
    shown = (found and edited) or (not found and asks and not edited)
    return {
        "draft": draft,
        "objections": found,
        "review": reply_review(state, draft, found) if shown else None,
    }


def is_last(state: SupportState, draft: Draft, found: list[Objection]) -> bool:
    """Whether no other draft is made: enough were, or none could say more than this one."""
    if state["drafts"] > MAX_REDRAFTS:
        return True
    left = set(draft.get("unanswered", []))
    tried = any(claim["question"] not in left for claim in draft.get("claims", []))
    rules = {objection["rule"] for objection in found}
    return "no_answer" in rules or (LEFT_OPEN in rules and (rules <= HOPELESS or not tried))


def attached(state: SupportState) -> JsonObject | None:
    """The end of a run whose questions nothing answers, where people have each of their parts.

    They see the message. Not when something was done, which the customer must read.
    """
    alone = not state["effects"] and not state.get("asked_back")
    return (
        {"objections": [], "review": None, **ignored("human_has_it")}
        if (alone and only_held(state))
        else None
    )


def refused(draft: Draft, found: list[Objection]) -> JsonObject:
    """The whole ticket for a person, who reads the draft as a suggestion."""
    unanswered: Escalation = {"reason": "no_valid_reply", "detail": why_refused(found)}
    kept = {"refused_draft": draft} if draft["text"] else {}
    return {"objections": found, "review": None, "escalation": unanswered, **kept}


def handed_over(
    state: SupportState, draft: Draft, found: list[Objection], partial: PartialAnswer
) -> JsonObject:
    """The draft that is left, and the plan with a step more for each part that a person gets."""
    plan = state["plan"]
    assert plan is not None, "partial_answer hands over parts of a plan alone"
    steps: list[Step] = []
    for part in SPECIALISTS:
        if open_ := [question for question in partial.open if question["intent"] == part]:
            ids = ", ".join(question["id"] for question in open_)
            why: Escalation = {
                "reason": "no_valid_reply",
                "detail": f"No reply to {ids} may leave. {why_refused(found)}",
            }
            steps.append(part_step({**state, "objections": found}, part, why, open_, draft))
    more: Plan = {**plan, "steps": [*plan["steps"], *steps]}
    return {"draft": partial.draft, "plan": more, "objections": found, "review": None}


def why_refused(found: list[Objection]) -> str:
    """Which rules a draft broke, in code's words alone: this is shown where no ticket is."""
    rules = dict.fromkeys(objection["rule"] for objection in found)
    said = [o["detail"] for o in found if o["rule"] in HOPELESS]
    broken = ", ".join(rule for rule in rules if rule not in HOPELESS)
    return " ".join([*said, *([f"The last draft broke the rules {broken}."] if broken else [])])


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
