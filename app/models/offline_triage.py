"""Offline triage: weighted patterns, added up. A single weak hint is not enough to be sure."""

import math
import re
from typing import Any

from graphs.nodes.classify import Classification
from graphs.state import SPECIALISTS, Intent, Ticket
from tools.models import Urgency

Weights = tuple[tuple[str, float], ...]

BILLING: Weights = (
    (r"charged? (?:me |us )?(?:twice|double|two times|again)|double[- ]charged?|billed twice", 3),
    (r"\brefund(?:ed|s|ing)?\b|money back|reimburse", 2),
    (r"\bcharged?\b|\bbilled\b|\boverpaid\b|\bovercharged\b|unknown charge", 1.5),
    (r"\bpayments?\b|\binvoices?\b|\breceipts?\b|\bbilling\b|\bsubscription\b", 1),
    (r"\bplan\b|\bcard\b|\bprice\b|\bpaid\b|\bseats?\b", 0.5),
)
TECHNICAL: Weights = (
    (r"\berror\b|\bexception\b|\bcrash\w*", 2),
    (r"\b[A-Z]{1,4}[-_]?\d{2,6}\b", 2),
    (r"\bfail(?:s|ed|ing|ure)?\b|\bbroken\b|(?:does|do|did|is|are|has)(?:n't| not) work\w*", 1.5),
    (r"\bbug\b|\bfreez\w+|\bfroze\b|\bstuck\b|not (?:loading|syncing|responding)|\bslow\b", 1.5),
    (r"can(?:'t|not| not) (?:log|sign|upload|open|save|access|sync|connect|see)", 1.5),
    (r"\bupload\w*|\bsync\w*|\bapi\b|\bwebhooks?\b|\bbrowser\b|\binstall\w*|\bpassword\b", 1),
)
GENERAL: Weights = (
    (r"\bhow (?:do|can|would|should) (?:i|we|you)\b|\bhow to\b|\bis it possible\b", 2),
    (
        r"\b(?:what|where|when|which|who) (?:is|are|do|does|can)\b|\bdo you (?:have|offer|support)",
        1.5,
    ),
    (r"\bopening hours?\b|\boffice hours?\b|\bopen\b|\bpolicy\b|\bprivacy\b|\bsecurity\b", 1.5),
    (r"\bexport\w*|\bimport\w*|\binvite\w*|\bsettings?\b|\blanguages?\b|\bshortcuts?\b", 1),
    (r"\bcan (?:i|we|you)\b|\binvoices?\b|\breset\b|\bchange\b|\bdelete\b|\?", 0.5),
)
INTENTS: dict[Intent, Weights] = {"billing": BILLING, "technical": TECHNICAL, "general": GENERAL}

ANGER: Weights = (
    (r"\bfurious\b|\boutrag\w+|\bdisgust\w+|\bscam\w*|\bfraud\w*|\bthieves\b|\bsteal\w*", 0.7),
    (r"\bangry\b|\bunacceptable\b|\bridiculous\b|\blawyer\b|\bsue\b|\bworst\b|\bterrible\b", 0.55),
    (
        r"\bfed up\b|\bsick of\b|\bannoy\w+|\bdisappoint\w+|\bfrustrat\w+|\bawful\b|\bhorrible\b",
        0.4,
    ),
    (r"!{2,}", 0.3),
)
WANTS_HUMAN = re.compile(
    r"(?:speak|talk|connect me|put me through|transfer me) (?:to|with) (?:a |an |the |your |some)?"
    r"(?:real |live )?(?:human|person|people|manager|supervisor|agent|someone|somebody|body|one)"
    r"|real (?:human|person)|human agent|\bmy lawyer\b|\bfile a complaint\b"
    r"|\b(?:want|need|demand|get me|ask(?:ing)? for|call|where is) (?:a|your|the) "
    r"(?:manager|supervisor|human)",
    re.IGNORECASE,
)
URGENCY: tuple[tuple[Urgency, str], ...] = (
    ("critical", r"\boutage\b|(?:everyone|nobody|whole team)[^.]* (?:cannot|can't|can|locked)|"
                 r"data (?:loss|is gone)|\bhacked\b|\bbreach\b"),
    ("high", r"\burgent\w*|\basap\b|\bimmediately\b|\bright now\b|\bdeadline\b|\bblocked\b"),
    ("low", r"no (?:rush|hurry)|\bjust wondering\b|\bwhenever\b|\bwhen you have time\b"),
)  # fmt: skip
# An event on the customer's own account, as against a question about the rules.
OWN_ACCOUNT = re.compile(
    r"\bi (?:was|am|got|have been|see)\b|\bmy (?:payment|refund|money|charge|annual|pro|team)\b"
    r"|charged? (?:me|us)|refund (?:me|us|it|one|my|the|this|that|both)|please refund"
    r"|(?:want|need|like|request\w*) (?:a|my|the) (?:full |partial )?refund|money back",
    re.IGNORECASE,
)
ASKS = re.compile(r"\b(?:how|what|where|when|which|who|do you|can i|is there)\b", re.IGNORECASE)

SCRIPTS = (("ja", r"[\u3040-\u30ff]"), ("ko", r"[\uac00-\ud7af]"), ("zh", r"[\u4e00-\u9fff]"),
           ("ru", r"[\u0400-\u04ff]"), ("ar", r"[\u0600-\u06ff]"))  # fmt: skip
FUNCTION_WORDS = {
    "en": "the and is are my i you to for of it not please what how can",
    "de": "der die das und ist ich nicht mein meine wie bitte ein eine kann mich wurde",
    "fr": "le la les et est je ne pas mon ma vous une des pour comment bonjour",
    "es": "el los las y es mi no por una un cómo para que gracias hola",
    "it": "il lo gli e è non mio mia per una come che grazie sono ho",
    "nl": "de het een en is ik niet mijn voor hoe van dat kan wordt",
    "pt": "o os as e é não meu minha para uma como que obrigado",
}


def triage(ticket: Ticket, _facts: dict[str, Any]) -> Classification:
    """Score every intent; confidence grows with the best score and falls with its rivals."""
    text = f"{ticket['subject']}\n{ticket['body']}"
    scores = intent_scores(text)
    best = max(scores.values())
    anger = anger_score(text)
    intents: list[Intent] = [
        name for name in SPECIALISTS if scores[name] >= max(1.5, 0.5 * best) and best > 0
    ]
    return Classification(
        intents=intents or ["escalate"],
        urgency=urgency(text, anger),
        anger=anger,
        language=language(text),
        wants_human=bool(WANTS_HUMAN.search(text)),
        confidence=confidence(scores, len(intents)),
    )


def intent_scores(text: str) -> dict[Intent, float]:
    """The sum of the weights whose pattern occurs, by intent."""
    scores = {name: weigh(text, weights) for name, weights in INTENTS.items()}
    if ASKS.search(text) and not OWN_ACCOUNT.search(text):
        scores["billing"] *= 0.3
    elif OWN_ACCOUNT.search(text) and scores["billing"] >= 2:
        scores["general"] *= 0.3
    return scores


def weigh(text: str, weights: Weights) -> float:
    """Add the weight of each pattern that occurs; an upper-case pattern means upper case."""
    return sum(
        weight
        for pattern, weight in weights
        if re.search(pattern, text, 0 if "[A-Z]" in pattern else re.IGNORECASE)
    )


def confidence(scores: dict[Intent, float], chosen: int) -> float:
    """Between 0 and 1: saturating in the best score, shared with rivals that were not chosen."""
    ranked = sorted(scores.values(), reverse=True)
    best, rivals = ranked[0], sum(ranked[max(chosen, 1) :])
    if best == 0:
        return 0.0
    return round((1 - math.exp(-best / 1.8)) * best / (best + 0.5 * rivals), 2)


def anger_score(text: str) -> float:
    """Hints combine as independent chances; shouting in capitals counts as one more."""
    calm = 1.0
    for pattern, weight in ANGER:
        calm *= 1 - weight if re.search(pattern, text, re.IGNORECASE) else 1
    words = re.findall(r"[^\W\d_]{3,}", text)
    shouted = sum(word.isupper() for word in words)
    if len(words) >= 4 and shouted > len(words) / 2:
        calm *= 0.6
    return round(1 - calm, 2)


def urgency(text: str, anger: float) -> Urgency:
    """The first urgency whose words occur; anger makes it at least high."""
    for name, pattern in URGENCY:
        if re.search(pattern, text, re.IGNORECASE):
            return "high" if name == "low" and anger >= 0.5 else name
    return "high" if anger >= 0.5 else "normal"


def language(text: str) -> str:
    """ISO 639-1 by script, else by the most frequent function words; "un" when none occurs."""
    for code, script in SCRIPTS:
        if re.search(script, text):
            return code
    words = re.findall(r"[^\W\d_]+", text.casefold())
    hits = {code: sum(w in known.split() for w in words) for code, known in FUNCTION_WORDS.items()}
    code = max(hits, key=lambda c: hits[c])
    return code if hits[code] else "un"
