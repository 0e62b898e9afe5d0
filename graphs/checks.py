"""The rules a draft must meet before it leaves. Pure functions; each yields its objections."""

import re
import unicodedata
from collections.abc import Callable, Iterator

from graphs.facts import Facts
from graphs.grounding import WORD, numbers
from graphs.state import Draft, Objection, Ticket

MAX_LENGTH = 3000
MAX_REDRAFTS = 2

MARKUP = re.compile(r"<[a-z/!][^>]*>|!?\[[^\]]*\]\s*\(|&#?\w+;", re.IGNORECASE)
LINK = re.compile(
    r"(?:https?|ftp|data|javascript|mailto):|www\.|\b[\w-]+\.(?:com|net|org|io|dev|app|co)\b",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
LIST_MARKER = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)
SENTENCE = re.compile(r"[^.!?。！？\n]*(?:\.(?=\d)[^.!?。！？\n]*)*[.!?。！？\n]?")
MONEY = re.compile(
    r"[$€£¥]\s?\d[\d.,]*|(?<![\d:.,])\d[\d.,]*\s?(?:[A-Z]{3}\b|[$€£¥]|dollars?|euros?|yen)"
)
CARD = re.compile(r"(?:\d[ -]?){13,19}")
# Words that commit the company, in the languages the demo answers in and their neighbours.
COMMITMENT = re.compile(
    r"refund|reimburs|credit(?!\s*card)|compensat|discount|voucher|free of charge|waive|cancel"
    r"|guarantee|promise|money back|erstatt|gutschrift|gutgeschrieben|storn|rabatt"
    r"|rembours|reembols|rimbors|返金|払い戻し|割引",
    re.IGNORECASE,
)

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
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if unicodedata.category(c) != "Cf")


def _length(draft: Draft, _facts: Facts, _ticket: Ticket) -> Iterator[str]:
    if len(draft["text"]) > MAX_LENGTH:
        yield f"The reply is longer than {MAX_LENGTH} characters."


def _markup(draft: Draft, _facts: Facts, _ticket: Ticket) -> Iterator[str]:
    for pattern, what in ((MARKUP, "markup"), (LINK, "a link"), (ADDRESS, "an e-mail address")):
        if found := pattern.search(draft["text"]):
            yield f"The reply holds {what}: {found[0]!r}."


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
    amounts = [effect["amount"] for effect in facts["effects"] if effect["amount"]]
    quoted = _squeeze(" ".join(passage["text"] for passage in facts["passages"]))
    for sentence in SENTENCE.findall(draft["text"]):
        backed = any(amount in sentence for amount in amounts) or _squeeze(sentence) in quoted
        if COMMITMENT.search(sentence) and not backed:
            yield f"No effect or article backs {sentence.strip()!r}."


def _effects_told(draft: Draft, facts: Facts, _ticket: Ticket) -> Iterator[str]:
    for effect in facts["effects"]:
        if effect["amount"] and effect["amount"] not in draft["text"]:
            yield f"The reply does not state the {effect['amount']} that was moved."


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
