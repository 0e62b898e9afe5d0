"""Offline billing: which payment does the customer mean? One clear answer, or not sure."""

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from app.models.offline.wishes import cancellations, proposed
from graphs.nodes.billing import Proposal, ProposedRefund
from graphs.state import Ticket
from graphs.text.bounds import READ_CHARS
from graphs.text.tokens import content_words
from tools.models import Payment
from tools.money import format_money, minor_unit_digits

WANTS_MONEY = re.compile(
    r"\brefund|money back|reimburse|charged? (?:me |us )?(?:twice|double|two times|again)|"
    r"double[- ]charged?|billed twice|overcharged",
    re.IGNORECASE,
)
TWICE = re.compile(r"twice|double|duplicate|two times|second (?:charge|payment)", re.IGNORECASE)
ALL = re.compile(r"\b(?:all|both|every|each)\b", re.IGNORECASE)
# Asks for money: an order, a request to us, or what the writer says they want.
REQUEST = re.compile(
    r"(?:^\W*|\b(?:please|pls|kindly|and|so|to)\s+|\byou\s+(?:\w+\s+){0,3})(?:refund|reimburse)\b"
    r"(?!\s+(?:polic|rule|term|period|process|status|request))"
    r"|\b(?:want|need|like|request|requesting|demand|asking|ask for|give me|get|have|issue)\b"
    r"[^.!?]{0,40}\b(?:refund(?:ed)?|money back|reimburse\w*)\b"
    r"|\brefund (?:me|us)\b",
    re.IGNORECASE,
)
# Speaks of a refund that was promised, made or is awaited, of a mistake, or says not to.
NO_REQUEST = re.compile(
    r"\b(?:not|never|no|\w+n't|cannot|without|thanks?|already|yet|still|since|where|when|why|how|what"
    r"|did|does|has|have you|if|unless|status|waiting|promised|received|arrived|issued|processed"
    r"|approved|requested|asked|got|leave|keep|except|instead|mistake)\b",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"[^.!?\n]+(?:[.](?=\d)[^.!?\n]*)*[.!?]*")
PAYMENT_ID = re.compile(r"\bpay_\w+")
# An amount in figures with its currency on either side; "half" and the like cannot be read.
AMOUNT = re.compile(
    r"(?P<sign>[$€£¥])\s?(?P<a>\d[\d.,]*)"
    r"|\b(?P<before>[A-Z]{3})\s?(?P<c>\d[\d.,]*)"
    r"|(?<![\d.,])[.,]*+(?P<b>\d[\d.,]*+)\s?(?P<code>[A-Z]{3}\b|dollars?|euros?|yen)"
)
GROUPING = re.compile(r"[.,](?=\d{3}(?:\D|$))")
# A quantity that this model does not work out: a share, a tax, what was not used, words.
NOT_UNDERSTOOD = re.compile(
    r"%|\b(?:percent|per cent|half|third|quarter|part|partly|partial|partially|portion|some"
    r"|vat|tax|taxes|fee|fees|difference|unused|remaining|remainder|rest|balance|surplus|excess"
    r"|pro[- ]?rat\w*|bucks|quid)\b"
    r"|(?<!\d)(?<!\d )\b(?:dollars?|euros?|pounds?|yen)\b",
    re.IGNORECASE,
)
SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
NAMES = {"dollar": "USD", "dollars": "USD", "euro": "EUR", "euros": "EUR", "yen": "JPY"}
# No price has more figures.
MAX_FIGURES = 20
CURRENCY = {**SIGNS, **NAMES}
DUPLICATE_WINDOW = timedelta(days=3)


def propose(ticket: Ticket, facts: dict[str, Any]) -> Proposal:
    """Refunds and cancellations that the ticket asks for; unsure when either is not clear.

    A reviewer's newest wish that names payments by id comes before the customer's words.
    """
    text = f"{ticket['subject']}\n{ticket['body']}"
    refunds = guided(facts) or wanted_refunds(text, facts["payments"])
    ends = cancellations(text, facts["subscriptions"])
    if refunds is None or ends is None:
        return Proposal(refunds=[], cancellations=[], unsure=True)
    wished = proposed(ends, facts["subscriptions"])
    return Proposal(refunds=refunds, cancellations=wished, unsure=False)


def guided(facts: dict[str, Any]) -> list[ProposedRefund]:
    """What the reviewer's newest wish with a payment's id asks for."""
    for wish in reversed(facts["guidance"]):
        if PAYMENT_ID.search(wish) and (refunds := named(wish, facts["payments"])):
            return refunds
    return []


def wanted_refunds(text: str, payments: list[Payment]) -> list[ProposedRefund] | None:
    """For the payments the ticket names, or the later one of a duplicate; None if not clear.

    Clear is an own request, when nothing else that is said of a refund speaks against it, and no
    quantity is named that this model does not work out. A text of more than READ_CHARS is not.
    """
    if not WANTS_MONEY.search(text):
        return []
    if len(text) > READ_CHARS or not requested(text) or NOT_UNDERSTOOD.search(text):
        return None
    refunds = duplicates(text, payments) if TWICE.search(text) else named(text, payments)
    return refunds or None


def requested(text: str) -> bool:
    """Whether a sentence asks for a refund, and none speaks of one in another way."""
    told = [s for s in SENTENCE.findall(text) if WANTS_MONEY.search(s)]
    return any(map(REQUEST.search, told)) and not any(map(NO_REQUEST.search, told))


def duplicates(text: str, payments: list[Payment]) -> list[ProposedRefund]:
    """The later payment of one pair with the same amount and description within three days."""
    ordered = sorted(payments, key=lambda p: (p["captured_at"], p["id"]))
    pairs = [
        (first, second)
        for first, second in pairwise(ordered)
        if is_duplicate(first, second)
        and not first["refunded_minor"]
        and not second["refunded_minor"]
    ]
    if len(pairs) != 1 or not set(PAYMENT_ID.findall(text)) <= {p["id"] for p in pairs[0]}:
        return []
    first, second = pairs[0]
    # Whoever names another amount than the duplicate's means something else.
    spoken = {minor_units(match, second["currency"]) for match in AMOUNT.finditer(text)}
    if not spoken <= {second["amount_minor"]}:
        return []
    amount = format_money(second["amount_minor"], second["currency"])
    reason = f"{second['id']} repeats {first['id']}: {second['description']}, {amount}"
    return [refund(second, reason)]


def is_duplicate(first: Payment, second: Payment) -> bool:
    """Whether the second payment looks like the first one taken again."""
    same = ("description", "amount_minor", "currency")
    apart = datetime.fromisoformat(second["captured_at"]) - datetime.fromisoformat(
        first["captured_at"]
    )
    return all(first[key] == second[key] for key in same) and apart <= DUPLICATE_WINDOW  # type: ignore[literal-required]  # keys of one TypedDict


def named(text: str, payments: list[Payment]) -> list[ProposedRefund]:
    """Payments named by id, by what was bought, or the only one there is."""
    left = [p for p in payments if refundable(p)]
    ids, words = set(PAYMENT_ID.findall(text)), content_words(text)
    by_id = [p for p in left if p["id"] in ids]
    by_words = [p for p in left if content_words(p["description"]) <= words]
    chosen = by_id if ids else by_words or left
    if len(by_id) < len(ids) or (len(chosen) > 1 and not (ids or ALL.search(text))):
        return []
    amounts = named_amounts(text, chosen)
    if amounts is None:
        return []
    reason = "The customer asks for a refund of"
    return [
        refund(p, f"{reason} {p['description']} ({p['id']})", amount)
        for p, amount in zip(chosen, amounts, strict=True)
    ]


def named_amounts(text: str, chosen: list[Payment]) -> list[int] | None:
    """What to give back of each payment; None when the ticket's words about it are not clear."""
    spoken = list(AMOUNT.finditer(text))
    if spoken and (len(spoken) > 1 or len(chosen) != 1):
        return None
    if not spoken:
        return [refundable(p) for p in chosen]
    amount = minor_units(spoken[0], chosen[0]["currency"])
    return [amount] if amount and amount <= refundable(chosen[0]) else None


def minor_units(spoken: re.Match[str], currency: str) -> int | None:
    """The amount in minor units; None in another currency, or finer than the currency is."""
    named_currency = spoken["sign"] or spoken["before"] or spoken["code"]
    if CURRENCY.get(named_currency.lower(), named_currency) != currency:
        return None
    figures = (spoken["a"] or spoken["b"] or spoken["c"]).rstrip(".,")
    if len(figures) > MAX_FIGURES:
        return None
    # A comma or point before three figures groups thousands, unless the currency has three.
    digits = minor_unit_digits(currency)
    if digits != 3:
        figures = GROUPING.sub("", figures)
    try:
        exact = Decimal(figures.replace(",", ".")) * 10**digits
    except InvalidOperation:
        return None
    return int(exact) if exact == int(exact) else None


def refund(payment: Payment, reason: str, amount: int | None = None) -> ProposedRefund:
    """A proposal for all that is left of a payment, or for less."""
    amount_minor = refundable(payment) if amount is None else amount
    return ProposedRefund(payment_id=payment["id"], amount_minor=amount_minor, reason=reason)


def refundable(payment: Payment) -> int:
    """What is left of a payment, in minor units."""
    return payment["amount_minor"] - payment["refunded_minor"]
