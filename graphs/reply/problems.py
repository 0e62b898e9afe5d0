"""Why a draft may not leave: the rules, what it leaves open, and what a verifier refused."""

from collections.abc import Iterator

from graphs.questions import asked_questions, unsettled
from graphs.reply.checks import objections
from graphs.reply.facts import reply_facts
from graphs.reply.instructions import reply_instructions
from graphs.state import ClaimVerdict, Draft, Objection, SupportState

LEFT_OPEN = "left_open"
REASON_CHARS = 300


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
    return [*found, *left_open(state, draft), *unsupported(state.get("verdicts", []), draft)]


def left_open(state: SupportState, draft: Draft) -> Iterator[Objection]:
    """The questions that the sources do not answer, as the model says itself."""
    for question in unsettled(state, draft.get("unanswered", [])):
        detail = f"Nothing that was found answers {question['id']}."
        yield {"rule": LEFT_OPEN, "detail": detail}


def unsupported(verdicts: list[ClaimVerdict], draft: Draft) -> Iterator[Objection]:
    """The claims of the draft that the verifier refused."""
    said = {(claim["question"], claim["text"]) for claim in draft.get("claims", [])}
    for verdict in verdicts:
        if not verdict["supported"] and (verdict["question"], verdict["text"]) in said:
            why = verdict["reason"][:REASON_CHARS]
            text = verdict["text"][:REASON_CHARS]
            yield {"rule": "support", "detail": f"The evidence does not support {text!r}: {why}"}
