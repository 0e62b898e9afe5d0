"""When the workflow stays silent: nothing is asked, a person has it, or it has said enough."""

from graphs.conversation import ThreadView
from graphs.held_questions import held_parts
from graphs.policy import Policy
from graphs.state import SPECIALISTS, Escalation, Finding, Outcome, SupportState, Triage
from graphs.text.noise import Ignored
from graphs.text.noise.reading import only_thanks, reading_of
from tools.errors import SilencedError, TakenOverError
from tools.models import JsonObject

UNKNOWN_THREAD: ThreadView = {"held": False, "parts": [], "replies": [], "replies_last_hour": 0}
# A person reads these, and no mail leaves: it could be answered by a machine.
WITHOUT_REPLY = frozenset({"perhaps_automatic", "too_many_replies"})
DOUBTS: dict[str, Escalation] = {
    "doubtful": {
        "reason": "perhaps_automatic",
        "detail": "It looks like an automatic mail and may hold a question.",
    },
    "empty": {"reason": "empty", "detail": "The message has no text, only a subject."},
}
NOT_OURS: Escalation = {"reason": "not_ours", "detail": "No specialist fits what is left."}
HELD = "A person has this part since an earlier message."
ONLY_SET_APART: Escalation = {
    "reason": "empty",
    "detail": "The message has no text of its own, only what it quotes or forwards.",
}


def nothing_to_answer(state: SupportState, policy: Policy) -> JsonObject | None:
    """How a run ends or reaches a person before any model is asked; None for one to be triaged.

    A run that a reviewer sent back is theirs, and is triaged.
    """
    if state["round"] or state["guidance"]:
        return None
    thread = _thread(state)
    reading = reading_of(state["ticket"], _replies(state))
    if reading is not None and reading not in DOUBTS:
        return ignored(reading)
    if thread["held"]:
        return ignored("human_has_it")
    if reading is not None:
        alone = reading == "empty" and state["ticket"].get("set_apart")
        return {"escalation": ONLY_SET_APART if alone else DOUBTS[reading]}
    full = over_limit(thread, policy)
    return {"escalation": too_many_replies(full)} if full else None


def over_limit(thread: ThreadView, policy: Policy) -> str | None:
    """Which limit of replies the thread has reached; a slow loop keeps below that of an hour."""
    if (sent := thread["replies_last_hour"]) >= policy.replies_per_thread_hour:
        return f"{sent} replies left within the last hour."
    if (sent := thread.get("replies_last_day", 0)) >= policy.replies_per_thread_day:
        return f"{sent} replies left within the last day."
    return None


def after_triage(state: SupportState, triage: Triage) -> JsonObject:
    """What triage shows to be silent about: thanks that code agrees to, what people have.

    A question that a person has is not answered again; the plan hands it to the same person. With
    nothing else in the ticket the run ends. `state` holds the questions as `marked`.
    """
    if triage.get("nothing_asked") and only_thanks(state["ticket"], _replies(state)):
        return ignored("thanks")
    held = held_parts(state, triage)
    if held and set(held) == set(triage["intents"]):
        return ignored("human_has_it")
    if set(triage["intents"]) - set(held) == {"escalate"}:
        return {"escalation": NOT_OURS}
    theirs = {part: _held_finding() for part in held if part in SPECIALISTS}
    return {"findings": theirs} if theirs else {}


def ignored(reason: str) -> JsonObject:
    """The end of a run that answers nothing. `reason` is one of `Ignored`.

    What a person writes to the customer meanwhile is not known: our own question is over.
    """
    over = {"asked_about": None} if reason == "human_has_it" else {}
    return {"ignored": reason, "outcome": "ignored", **over}


def too_many_replies(detail: str) -> Escalation:
    """Why a person goes on with a thread that got its hour's or its day's replies."""
    return {"reason": "too_many_replies", "detail": detail}


def is_without_reply(state: SupportState) -> bool:
    """Whether the ticket goes to a person with no word to the sender."""
    why = state.get("escalation")
    return why is not None and why["reason"] in WITHOUT_REPLY


def silenced(state: SupportState, why: SilencedError, outcome: Outcome) -> JsonObject:
    """How a run goes on whose reply may not leave.

    What it did stays its outcome; one that only answers is ignored. Over the limit of replies a
    person is needed, unless the run has found one.
    """
    if isinstance(why, TakenOverError):
        reason: Ignored = "human_has_it"
        return {"ignored": reason, "outcome": "ignored" if outcome in ANSWERS else outcome}
    if state.get("handoff"):
        return {"outcome": outcome}
    return {"escalation": too_many_replies(str(why))}


# Outcomes that are nothing but the reply.
ANSWERS: frozenset[Outcome] = frozenset({"answered", "asked"})


def _thread(state: SupportState) -> ThreadView:
    return state.get("thread") or UNKNOWN_THREAD


def _replies(state: SupportState) -> list[str]:
    """The thread's newest replies; without a view of it, those that the run remembers."""
    said = state.get("memory", {}).get("window", [])
    return _thread(state)["replies"] or [t["text"] for t in said if t["author"] == "deskgraph"]


def _held_finding() -> Finding:
    return {
        "passages": [],
        "payments": [],
        "refunded_24h": {},
        "steps": [],
        "failed": None,
        "unsure": HELD,
    }
