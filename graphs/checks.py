"""The rules a draft must meet before it leaves. Pure functions; each yields its objections."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator

from graphs.facts import Facts
from graphs.grounding import WORD, numbers, visible
from graphs.state import Draft, Objection, Ticket

MAX_LENGTH = 3000
MAX_REDRAFTS = 2

MARKUP = re.compile(r"<[a-z/!]|!?\[[^\]]*\]\s*\(|&#?\w+;", re.IGNORECASE)
SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]*://|\b(?:data|javascript|mailto|tel):\S", re.IGNORECASE)
DOMAIN = re.compile(r"\b[\w-]{2,}(?:\.[a-z]{2,})+\b(?:/\S*)?", re.IGNORECASE)
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
LIST_MARKER = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)
SENTENCE = re.compile(r"[^.!?。！？\n]*(?:\.(?=\d)[^.!?。！？\n]*)*[.!?。！？\n]?")
MONEY = re.compile(
    r"[$€£¥]\s?\d[\d.,]*"
    r"|(?<![\d:.,])\d[\d.,]*\s?(?:[A-Z]{3}\b|[$€£¥]|(?i:usd|eur|gbp|jpy|dollars?|euros?|yen)\b)"
)
CARD = re.compile(r"(?:\d[ -]?){13,19}")
# Words that commit the company, in the languages the demo answers in and their neighbours.
REFUND = re.compile(
    r"refund|reimburs|repay|pay you back|return your money|money back"
    r"|erstatt|gutschrift|gutgeschrieben|rembours|reembols|rimbors|返金|払い戻し",
    re.IGNORECASE,
)
COMMITMENT = re.compile(
    REFUND.pattern + r"|credit(?!\s*card)|compensat|discount|voucher|free of charge|waive|cancel"
    r"|guarantee|promise|storn|rabatt|割引",
    re.IGNORECASE,
)
# Beside an amount these say that money goes to the customer.
GIVING = re.compile(
    r"\b(?:will|shall|going to|return|send|give|pay|transfer|back|receive|get)\b|'ll\b",
    re.IGNORECASE,
)
# Cyrillic and Greek letters that look Latin. Source: Unicode TR 39, confusables.txt, small letters.
LOOK_ALIKES = str.maketrans("аԁеһіјӏорԛѕсуѵԝхαονυρι", "adehijlopqscyvwxaovupi")

Rule = Callable[[Draft, Facts, Ticket], Iterator[str]]


def objections(draft: Draft, facts: Facts, ticket: Ticket) -> list[Objection]:
    """Every reason why this draft may not leave; an empty list lets it go."""
    plain: Draft = {**draft, "text": _plain(draft["text"])}
    if not plain["text"].strip():
        return [{"rule": "no_answer", "detail": "The facts do not answer the ticket."}]
    return [
        {"rule": name, "detail": detail}
        for name, rule in RULES.items()
        for detail in rule(plain, facts, ticket)
    ]


def _plain(text: str) -> str:
    """Compatibility form without invisible characters: no trick of spelling hides a word."""
    return visible(unicodedata.normalize("NFKC", visible(text)))


def _length(draft: Draft, _facts: Facts, _ticket: Ticket) -> Iterator[str]:
    if len(draft["text"]) > MAX_LENGTH:
        yield f"The reply is longer than {MAX_LENGTH} characters."


def _markup(draft: Draft, facts: Facts, _ticket: Ticket) -> Iterator[str]:
    for pattern, what in ((MARKUP, "markup"), (SCHEME, "a link"), (ADDRESS, "an e-mail address")):
        if found := pattern.search(draft["text"]):
            yield f"The reply holds {what}: {found[0]!r}."
    known = _sources(facts)
    for found in DOMAIN.finditer(draft["text"]):
        if found[0] not in known:
            yield f"The reply holds a link: {found[0]!r}."


def _citations(draft: Draft, facts: Facts, _ticket: Ticket) -> Iterator[str]:
    retrieved = {passage["article_id"] for passage in facts["passages"]}
    for unknown in sorted(set(draft["citations"]) - retrieved):
        yield f"Article {unknown!r} was not retrieved in this run."
    if retrieved and not facts["effects"] and not facts["payments"] and not draft["citations"]:
        yield "An answer from articles must cite them."


def _money(draft: Draft, facts: Facts, _ticket: Ticket) -> Iterator[str]:
    known = numbers(_sources(facts))
    for match in MONEY.finditer(draft["text"]):
        if not numbers(match[0]) <= known:
            yield f"The amount {match[0].strip()!r} stands in no fact."


def _numbers(draft: Draft, facts: Facts, ticket: Ticket) -> Iterator[str]:
    asked = f"{ticket['subject']}\n{ticket['body']}\n{ticket['customer_name']}"
    known = numbers(f"{_sources(facts)}\n{asked}")
    for invented in sorted(numbers(LIST_MARKER.sub("", draft["text"])) - known):
        yield f"The number {invented} stands in no fact."


def _commitments(draft: Draft, facts: Facts, _ticket: Ticket) -> Iterator[str]:
    """Each effect may be told once; an article or a payment line may be quoted."""
    untold = Counter(effect["amount"] for effect in facts["effects"] if effect["amount"])
    passages = [passage["text"] for passage in facts["passages"]]
    quotable = {_squeeze(s) for text in (*passages, *facts["payments"]) for s in _sentences(text)}
    latin = draft["text"].translate(LOOK_ALIKES)
    for sentence in _sentences(latin):
        words = COMMITMENT.findall(sentence)
        gives = MONEY.search(sentence) and GIVING.search(sentence)
        if not (words or gives) or _squeeze(sentence) in quotable:
            continue
        told = Counter({amount: _mentions(sentence, amount) for amount in untold}) & untold
        if len(words) != 1 or not told or not REFUND.fullmatch(words[0]):
            yield f"No effect or article backs {sentence.strip()!r}."
        untold -= told
    if len(COMMITMENT.findall(latin.replace("\n", ""))) > len(COMMITMENT.findall(latin)):
        yield "A word of commitment is broken over two lines."


def _effects_told(draft: Draft, facts: Facts, _ticket: Ticket) -> Iterator[str]:
    moved = Counter(effect["amount"] for effect in facts["effects"] if effect["amount"])
    for amount, times in moved.items():
        if _mentions(draft["text"], amount) < times:
            yield f"The reply does not state each time that {amount} was moved ({times})."


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in SENTENCE.findall(text) if sentence.strip()]


def _mentions(text: str, amount: str) -> int:
    """How often the amount stands there by itself: "49.00 USD" does not state "9.00 USD"."""
    return len(re.findall(rf"(?<![\d.,]){re.escape(amount)}\b", text))


def _secrets(draft: Draft, _facts: Facts, _ticket: Ticket) -> Iterator[str]:
    for found in CARD.findall(draft["text"]):
        if _luhn(re.sub(r"\D", "", found)):
            yield "The reply holds a card number."


def _luhn(digits: str) -> bool:
    """Whether the digits end in the check digit that card numbers carry (ISO/IEC 7812-1)."""
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def _sources(facts: Facts) -> str:
    effects = [f"{effect['amount']} {effect['about']}" for effect in facts["effects"]]
    passages = [f"{passage['title']} {passage['text']}" for passage in facts["passages"]]
    return "\n".join([*effects, *facts["payments"], *passages])


def _squeeze(text: str) -> str:
    return " ".join(WORD.findall(text.casefold()))


RULES: dict[str, Rule] = {
    "length": _length,
    "markup": _markup,
    "citations": _citations,
    "money": _money,
    "numbers": _numbers,
    "commitments": _commitments,
    "effects_told": _effects_told,
    "secrets": _secrets,
}
