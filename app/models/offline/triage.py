"""Offline triage: weighted patterns, added up. A single weak hint is not enough to be sure."""

import math
import re
from typing import Any

from app.models.offline.intents_en import ENGLISH, GREETING
from app.models.offline.intents_other import WORLD
from app.models.offline.mood import WANTS_HUMAN, anger_score, urgency
from graphs.nodes.classify import AskedQuestion, Classification
from graphs.state import Intent, Ticket
from graphs.text.bounds import READ_CHARS
from graphs.text.language import CONFIDENT, LIKELY, language_of
from graphs.ticket_parts import clauses
from tools.language_tags import UNDETERMINED
from tools.wording import LANGUAGES

Scores = dict[Intent, float]

# An upper-case class in a pattern means upper case, as in an error code.
PATTERNS: dict[Intent, list[tuple[re.Pattern[str], float]]] = {
    intent: [
        (re.compile(pattern, 0 if "[A-Z]" in pattern else re.IGNORECASE), weight)
        for pattern, weight in ENGLISH[intent] + WORLD[intent]
    ]
    for intent in ENGLISH
}
HELLO = re.compile(GREETING, re.IGNORECASE)
# A clause is about an intent of its own when it says so this strongly, and this much more than
# about any other; measured in docs/triage.md.
STRONG, CLEAR = 2.0, 1.0
# A plain question about something unknown is just sure enough to be looked up; whether an article
# answers it is for the search to say.
QUESTION = re.compile(
    r"\b(?:what|where|when|which|who|why|how|can|could|may|do|does|is|are|will)\b", re.IGNORECASE
)
SENTENCE = re.compile(r"[^.!?]+[.!?]?")
ASKED = 1.3
# Scores where confidence has grown to 63 %, and how much a rival takes of it.
SCALE, RIVALRY = 1.8, 0.7
# Clauses that are looked at one by one; a longer text is judged as a whole.
MAX_CLAUSES = 200
MAX_WORD = 200


def triage(ticket: Ticket, _facts: dict[str, Any]) -> Classification:
    """Score every intent; confidence grows with the best score and falls with its rivals."""
    text = readable(f"{ticket['subject']}\n{ticket['body']}")
    scores = intent_scores(text)
    about = topics(ticket)
    several = len(about) > 1 or "escalate" in about
    intents = list(about) if several else best(scores)
    anger = anger_score(text)
    return Classification(
        intents=intents,
        # Of one topic the whole text is the question.
        questions=[
            AskedQuestion(intent=intent, text=text, queries=[])
            for intent, text in (about.items() if several else ())
        ],
        urgency=urgency(text, anger),
        anger=anger,
        language=language(text),
        wants_human=bool(WANTS_HUMAN.search(text)),
        confidence=confidence(scores, intents),
        nothing_asked=False,
    )


def language(text: str) -> str:
    """The text's ISO 639-1 code; one word in common is no sign of a language we do not speak."""
    code, sure = language_of(text)
    return code if sure >= (LIKELY if code in LANGUAGES else CONFIDENT) else UNDETERMINED


def readable(text: str) -> str:
    """The beginning, with single spaces and no endless words: what else would be slow to read."""
    return " ".join(word[:MAX_WORD] for word in text.split())[:READ_CHARS]


def intent_scores(text: str) -> Scores:
    """The sum of the weights whose pattern occurs, by intent."""
    scores = {
        intent: sum(weight for pattern, weight in patterns if pattern.search(text))
        for intent, patterns in PATTERNS.items()
    }
    if max(scores.values()) < ASKED and asks(text):
        scores["general"] = ASKED
    return scores


def asks(text: str) -> bool:
    """Whether a sentence of the text is a question."""
    return any(s.endswith("?") and QUESTION.search(s) for s in SENTENCE.findall(text))


def best(scores: Scores) -> list[Intent]:
    """The one intent with the highest score; a person's when nothing was recognised."""
    name = max(scores, key=lambda intent: scores[intent])
    return [name] if scores[name] > 0 else ["escalate"]


def topics(ticket: Ticket) -> dict[Intent, str]:
    """For each intent the first clauses that are clearly about it, up to those of another.

    What only a person may handle, such as a theft, is no part among others: it is the ticket.
    """
    found: dict[Intent, str] = {}
    last, gap = None, ""
    for clause in clauses(ticket["body"][:READ_CHARS])[:MAX_CLAUSES]:
        intent = topic(clause)
        if intent is None:
            gap += clause
        elif intent == last:
            found[intent] += gap + clause
        last, gap = (intent, "") if intent else (last, gap)
        if intent and intent not in found:
            found[intent] = clause
    said: dict[Intent, str] = {intent: text.strip() for intent, text in found.items()}
    return {"escalate": said["escalate"]} if "escalate" in said else said


def topic(clause: str) -> Intent | None:
    """What the clause is clearly about, if it is about one thing."""
    scores = intent_scores(readable(clause))
    first, second = sorted(scores.items(), key=lambda item: -item[1])[:2]
    clear = first[1] >= STRONG and first[1] - second[1] >= CLEAR
    return first[0] if clear and not HELLO.search(clause) else None


def confidence(scores: Scores, chosen: list[Intent]) -> float:
    """Between 0 and 1: saturating in the best score, shared with rivals that were not chosen."""
    top = max(scores.values())
    rivals = sum(score for intent, score in scores.items() if intent not in chosen)
    if top == 0:
        return 0.0
    return round((1 - math.exp(-top / SCALE)) * top / (top + RIVALRY * rivals), 2)
