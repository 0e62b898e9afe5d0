"""The hand-off brief: what the person who takes over a ticket reads. Pure functions."""

from collections.abc import Sequence

from graphs.questions import asked_questions, handed_text
from graphs.reply.facts import reply_facts
from graphs.reply.partial_answer import with_claims
from graphs.reply.suggestion import best_articles, found_passages, suggestion
from graphs.run.memory import cut, handoff_lines
from graphs.state import Draft, Escalation, Intent, Question, SupportState, Triage
from graphs.text.new_text.ticket import shown_parts
from tools.helpdesk import HANDOFF, HandoffArgs
from tools.models import Step

COMPLAINTS = frozenset({"human_requested", "anger", "alarm"})


def skill_for(state: SupportState, why: Escalation) -> str:
    """Which skill the person needs: complaints first, else that of what the ticket is about."""
    return "complaints" if why["reason"] in COMPLAINTS else skill_of(state.get("triage"))


def skill_of(triage: Triage | None) -> str:
    """The skill for what a ticket is about: its first intent.

    Of a ticket that is `general` because nothing is certain, the tenant's own trained model says.
    """
    intents = triage["intents"] if triage else []
    trained = triage.get("trained") if triage else None
    if trained and intents == ["general"]:
        intents = [trained["intent"]]
    return next((intent for intent in intents if intent != "escalate"), "general")


def part_step(
    state: SupportState,
    part: Intent,
    why: Escalation,
    questions: Sequence[Question] = (),
    refused: Draft | None = None,
) -> Step:
    """The step of a plan that gives one part of the ticket, or these of its questions, to a person.

    Who gets it reads what the refused draft says about the questions.
    """
    triage, passages = state["triage"], found_passages(state, part)
    ids = {question["id"] for question in questions}
    claims = [c for c in (refused.get("claims", []) if refused else []) if c["question"] in ids]
    tried: SupportState = {**state, "refused_draft": None}
    if refused:
        tried["refused_draft"] = with_claims(state, refused, claims)
    args = HandoffArgs(
        skill="general" if part == "escalate" else part,
        urgency=triage["urgency"] if triage else "normal",
        summary=handoff_brief(state, why, questions),
        part=part,
        questions=handed_questions(state, part, questions),
        suggestion=suggestion(tried, passages),
        articles=best_articles(passages),
    )
    return HANDOFF.step(f"handoff-{part}", args, why["detail"])


def handed_questions(state: SupportState, part: Intent, questions: Sequence[Question]) -> list[str]:
    """The customer's words of what a person gets of a part: these questions, or all of it."""
    theirs = questions or [q for q in asked_questions(state) if q["intent"] == part]
    return [handed_text(question) for question in theirs]


def handoff_brief(state: SupportState, why: Escalation, questions: Sequence[Question] = ()) -> str:
    """What a colleague must know so that the customer need not repeat themselves.

    `questions` are those that they are to answer, when it is not the whole ticket or part.
    """
    ticket, triage, facts = state["ticket"], state.get("triage"), reply_facts(state)
    lines = [f"Why: {why['reason']}. {why['detail']}", f"Subject: {ticket['subject']}"]
    lines += [f"Question: {cut(question['text'], 500)}" for question in questions]
    if triage:
        mood = f"urgency {triage['urgency']}, anger {triage['anger']:.2f}"
        intents = ", ".join(triage["intents"]) or "none"
        lines.append(f"Triage: {intents}; {mood}; language {triage['language']}")
    if why["reason"] == "no_valid_reply":
        lines += [f"Refused draft: {cut(said, 500)}" for said in facts["objections"]]
    lines += [" ".join(["Done:", e["tool"], *e["values"]]) for e in facts["effects"]]
    lines += [f"Not done, a reviewer dropped it: {what}" for what in facts["undone"]]
    lines += [f"Handed over: {h['part']} to {h['who']}" for h in facts["handed_over"]]
    if (plan := state.get("plan")) and plan["steps"]:
        lines += [f"Planned: {step['tool']}: {step['reason']}" for step in plan["steps"]]
    lines += [f"Reviewer: {wish}" for wish in state.get("guidance", [])]
    lines += [f"Payment: {line}" for line in facts["payments"][:20]]
    lines += [f"Article: {p['title']} ({p['article_id']})" for p in facts["passages"]]
    lines += handoff_lines(state.get("memory"))
    lines.append(f"Message: {ticket['body'][:2000]}")
    lines += [f"Set apart, {p['kind']}: {cut(p['text'], 1000)}" for p in shown_parts(ticket)]
    return "\n".join(lines)[:20_000]
