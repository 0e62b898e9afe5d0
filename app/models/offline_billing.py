"""Offline billing: which payment does the customer mean? One clear answer, or not sure."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from graphs.grounding import content_words
from graphs.nodes.billing import Proposal, ProposedRefund
from graphs.state import Ticket
from tools.models import Payment
from tools.money import format_money, minor_unit_digits

WANTS_MONEY = re.compile(
    r"\brefund|money back|reimburse|charged? (?:me |us )?(?:twice|double|two times|again)|"
    r"double[- ]charged?|billed twice|overcharged",
    re.IGNORECASE,
)
TWICE = re.compile(r"twice|double|duplicate|two times|second (?:charge|payment)", re.IGNORECASE)
ALL = re.compile(r"\b(?:all|both|every|each)\b", re.IGNORECASE)
PARTIAL = re.compile(
    r"[$€£¥]\s?(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s?(?:USD|EUR|GBP|JPY|dollars?)", re.IGNORECASE
)
DUPLICATE_WINDOW = timedelta(days=3)


def propose(ticket: Ticket, facts: dict[str, Any]) -> Proposal:
    """Refunds for the payments the ticket names, or for the later one of a duplicate."""
    text = f"{ticket['subject']}\n{ticket['body']}"
    payments: list[Payment] = facts["payments"]
    if not WANTS_MONEY.search(text):
        return Proposal(refunds=[], unsure=False)
    open_payments = [p for p in payments if p["refunded_minor"] < p["amount_minor"]]
    refunds = duplicates(text, open_payments) or named(text, open_payments)
    return Proposal(refunds=refunds, unsure=not refunds)


def duplicates(text: str, payments: list[Payment]) -> list[ProposedRefund]:
    """The later payment of one pair with the same amount and description within three days."""
    if not TWICE.search(text):
        return []
    ordered = sorted(payments, key=lambda p: (p["captured_at"], p["id"]))
    pairs = [
        (first, second)
        for first, second in pairwise(ordered)
        if is_duplicate(first, second) and not first["refunded_minor"]
    ]
    if len(pairs) != 1:
        return []
    first, second = pairs[0]
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
    by_id = [p for p in payments if re.search(rf"\b{re.escape(p['id'])}\b", text)]
    words = content_words(text)
    by_words = [p for p in payments if content_words(p["description"]) <= words]
    chosen = by_id or by_words or payments
    if len(chosen) > 1 and not (by_id or ALL.search(text)):
        return []
    amount = partial_amount(text, chosen)
    reason = "The customer asks for a refund of"
    return [refund(p, f"{reason} {p['description']} ({p['id']})", amount) for p in chosen]


def partial_amount(text: str, payments: list[Payment]) -> int | None:
    """The amount the ticket names, in minor units, when it is less than the one payment."""
    match = PARTIAL.search(text)
    if match is None or len(payments) != 1:
        return None
    digits = minor_unit_digits(payments[0]["currency"])
    exact = Decimal(match[1] or match[2]) * 10**digits
    amount = int(exact)
    return amount if amount == exact and 0 < amount <= refundable(payments[0]) else None


def refund(payment: Payment, reason: str, amount: int | None = None) -> ProposedRefund:
    """A proposal for all that is left of a payment, or for less."""
    return ProposedRefund(
        payment_id=payment["id"], amount_minor=amount or refundable(payment), reason=reason
    )


def refundable(payment: Payment) -> int:
    """What is left of a payment, in minor units."""
    return payment["amount_minor"] - payment["refunded_minor"]
