"""Offline triage: it routes what is certain, and says of the rest that it does not know.

Certain are a wish about money, an error code, and a wish for a person. All else is `general`, of
which only an exact match with an article is answered (exact.py); a person gets the others.
"""

import re
from typing import Any, NamedTuple

from app.models.offline.exact import CODE
from app.models.offline.refund_wishes import MENTION
from app.models.offline.wishes import ASKED, CANCEL
from app.models.offline.words import LANGUAGES, anywhere, phrases, spoken, without
from graphs.alarm import alarm, folded, mild_signs
from graphs.held_questions import share_words
from graphs.nodes.classify import Classification
from graphs.state import Intent, Ticket
from graphs.text.bounds import READ_CHARS
from graphs.text.language import CONFIDENT, LIKELY, language_of
from tools.language_tags import UNDETERMINED
from tools.models import Urgency
from tools.wording import LANGUAGES as SPOKEN

SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
# How sure it is of each: a default threshold of 0.5 lets all be looked up, a higher one only those
# that are certain.
SURE: dict[Intent, float] = {"billing": 0.9, "technical": 0.6, "general": 0.5}
URGENCIES: tuple[Urgency, ...] = ("critical", "high", "low")
ANGRY, CROSS = 0.9, 0.4


class Asked(NamedTuple):
    """One thing that the ticket asks, and how sure that is."""

    intent: Intent
    text: str
    confidence: float


def triage(ticket: Ticket, facts: dict[str, Any]) -> Classification:
    """The ticket's questions, and what else its words say for certain."""
    text = f"{ticket['subject']}\n{ticket['body']}"[:READ_CHARS]
    asked, said = questions(ticket), spoken(text)
    anger, known = anger_of(text), facts.get("with_a_person", [])
    return Classification.model_validate(
        {
            "intents": list(dict.fromkeys(question.intent for question in asked)),
            "questions": [
                {
                    "intent": question.intent,
                    "text": question.text,
                    "queries": [],
                    "new": not any(share_words(question.text, text) for text in known),
                }
                for question in asked
            ],
            "urgency": urgency(said, anger),
            "anger": anger,
            "language": language(text),
            "wants_human": bool(anywhere("person").search(said)),
            "confidence": min(question.confidence for question in asked),
            "nothing_asked": only_courtesy(ticket["body"]),
        }
    )


def questions(ticket: Ticket) -> list[Asked]:
    """What the ticket asks: a wish about money and what is asked beside it, or one thing."""
    body = ticket["body"][:READ_CHARS]
    sentences = list(SENTENCE.finditer(body))
    wishes = [found for found in sentences if is_money_wish(found[0].strip())]
    if not wishes:
        # Of a message without a wish there is one whole: its parts are never answered alone.
        return [matter(ticket["body"].strip() or ticket["subject"], ticket["subject"])]
    money = Asked("billing", wishes[0][0].strip(), SURE["billing"])
    others = [found for found in sentences if found not in wishes and asks(found[0].strip())]
    if not others:
        return [money]
    # Also what is said between two questions, so that none is answered without it.
    return [money, matter(body[others[0].start() : others[-1].end()].strip())]


def asks(sentence: str) -> bool:
    """Whether a sentence is a question, shows an error code, or comes to another matter.

    A wish may be stated: "Also, I would like to interview your CEO." One that names a figure may
    belong to the wish about money.
    """
    if sentence.endswith(("?", "？")) or CODE.search(sentence):
        return True
    figures = any(character.isdigit() for character in sentence)
    return not figures and anywhere("adding").match(spoken(sentence)) is not None


def matter(text: str, subject: str = "") -> Asked:
    """What one text is about as far as that is certain: a technical matter, or who knows what.

    Of a whole ticket of which nothing is certain, a model that the tenant has trained says more
    (trained.py).
    """
    intent: Intent = "technical" if CODE.search(f"{subject}\n{text}") else "general"
    return Asked(intent, text, SURE[intent])


def is_money_wish(sentence: str) -> bool:
    """Whether a sentence asks for a refund or a cancellation; a question about one does not."""
    question = ASKED.search(sentence) or sentence.endswith("?")
    return bool(MENTION.search(sentence) or CANCEL.search(sentence)) and not question


def anger_of(text: str) -> float:
    """Between 0 and 1: open anger, one mild sign of it, or none."""
    if alarm(text) == "anger":
        return ANGRY
    return CROSS if mild_signs(text, folded(text)) else 0.0


def urgency(said: str, anger: float) -> Urgency:
    """The first urgency whose words occur; anger makes it at least high."""
    normal: Urgency = "normal"
    found = next((name for name in URGENCIES if anywhere(name).search(said)), normal)
    return "high" if anger >= ANGRY and found != "critical" else found


def only_courtesy(body: str) -> bool:
    """Whether the message says nothing but thanks and greetings."""
    said = spoken(body)
    return bool(said) and any(
        not without(said, phrases(code, "greeting", "courtesy")) for code in LANGUAGES
    )


def language(text: str) -> str:
    """The text's ISO 639-1 code; one word in common is no sign of a language we do not speak."""
    code, sure = language_of(text)
    return code if sure >= (LIKELY if code in SPOKEN else CONFIDENT) else UNDETERMINED
