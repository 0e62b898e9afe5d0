"""Which questions of a message people have already, from an earlier message of its thread."""

from collections.abc import Sequence

from graphs.conversation import HeldQuestion, ThreadView
from graphs.state import PARTS, Intent, Question, SupportState, Triage
from graphs.text.bounds import READ_CHARS
from graphs.text.tokens import content_words

# Of the words of the shorter question: so many in common, and the other one asks it again.
SAME_SHARE = 0.5


def marked(questions: Sequence[Question], thread: ThreadView | None) -> list[Question]:
    """The questions, each with `held` if a person has it."""
    known = thread.get("questions", []) if thread else []
    whole = thread["parts"] if thread else []
    return [
        {**question, "held": True}
        if question["intent"] in whole or is_asked_again(question, known)
        else question
        for question in questions
    ]


def is_asked_again(question: Question, known: Sequence[HeldQuestion]) -> bool:
    """Whether one of the known questions is asked again, or added to; in doubt it is.

    A model may say that a question is new, or that it is not. Without its word every question of
    the same part is in doubt. Words in common count whatever it says.
    """
    if not known:
        return False
    new = question.get("new")
    same_part = any(held["part"] == question["intent"] for held in known)
    if new is False or (new is None and same_part):
        return True
    return any(share_words(question["text"], held["text"]) for held in known)


def share_words(text: str, other: str) -> bool:
    """Whether half of the shorter text's words that carry meaning stand in the other text."""
    words, others = (content_words(said[:READ_CHARS]) for said in (text, other))
    least = min(len(words), len(others))
    return least > 0 and len(words & others) >= SAME_SHARE * least


def held_parts(state: SupportState, triage: Triage) -> list[Intent]:
    """The intents of this ticket of which a person has every question."""
    thread, questions = state.get("thread"), state.get("questions", [])
    whole = thread["parts"] if thread else []
    return [
        part
        for part in PARTS
        if part in triage["intents"] and (part in whole or _are_held(questions, part))
    ]


def held_of(questions: Sequence[Question], part: Intent) -> list[Question]:
    """The questions of a part that a person has."""
    return [q for q in questions if q["intent"] == part and q.get("held", False)]


def only_held(state: SupportState) -> bool:
    """Whether people have something of each part that the ticket asks about.

    What the bot cannot answer there is theirs as well: they see the message.
    """
    thread, triage = state.get("thread"), state.get("triage")
    if not thread or not triage or not triage["intents"]:
        return False
    having = {*thread["parts"], *(held["part"] for held in thread.get("questions", []))}
    return set(triage["intents"]) <= having


def _are_held(questions: Sequence[Question], part: Intent) -> bool:
    mine = [question for question in questions if question["intent"] == part]
    return bool(mine) and len(held_of(questions, part)) == len(mine)
