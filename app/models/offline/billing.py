"""Offline billing: which payment does the customer mean? One clear answer, or not sure."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from app.models.offline.payment_ids import ids_in
from app.models.offline.refund_wishes import MENTION, RefundWish, refund_wish
from app.models.offline.wish_words import any_word, pattern, word_pattern
from app.models.offline.wishes import cancellations, proposed
from graphs.nodes.billing import MAX_WISH, Proposal, ProposedRefund
from graphs.state import Ticket
from graphs.text.bounds import READ_CHARS
from graphs.text.tokens import content_words
from graphs.wishes.amounts import AMOUNT, minor_units
from tools.billing import refundable
from tools.models import Payment, Subscription
from tools.money import format_money

TWICE, ALL = pattern("twice"), word_pattern("all")
IN_WORDS = re.compile(rf"\b{any_word('share')} {any_word('share_of')}", re.IGNORECASE)
DUPLICATE_WINDOW = timedelta(days=3)
ASKED_FOR = "The customer asks for a refund of"


class Wanted(NamedTuple):
    """What the customer wants back; of several `candidates` they must say which."""

    refunds: Sequence[ProposedRefund] = ()
    candidates: Sequence[str] = ()
    unsure: bool = False


UNSURE = Wanted(unsure=True)


def propose(ticket: Ticket, facts: dict[str, Any]) -> Proposal:
    """Refunds and cancellations that the ticket asks for; unsure when either is not clear.

    A reviewer's newest wish that names payments by id comes before the customer's words.
    """
    # A thread repeats its subject, so what it asks for is no wish of this message.
    body, subscriptions = ticket["body"], facts["subscriptions"]
    refunds = guided(facts)
    wanted = (
        Wanted(refunds)
        if refunds
        else wanted_refunds(answered(ticket, facts), facts["payments"], subscriptions)
    )
    ends = cancellations(body, subscriptions)
    if wanted.unsure or ends is None:
        return Proposal(refunds=[], cancellations=[], unsure=True)
    return Proposal(
        refunds=list(wanted.refunds),
        cancellations=proposed(ends, subscriptions, body),
        candidates=list(wanted.candidates),
        unsure=False,
    )


def answered(ticket: Ticket, facts: dict[str, Any]) -> Ticket:
    """The ticket; below the words that it answers, when the customer was asked which payment."""
    if (before := facts.get("asked_before")) is None:
        return ticket
    return {**ticket, "subject": "", "body": "\n".join([*before["wrote"], ticket["body"]])}


def guided(facts: dict[str, Any]) -> list[ProposedRefund]:
    """What the reviewer's newest wish with a payment's id asks for."""
    for wish in reversed(facts["guidance"]):
        own = {p["id"]: p for p in facts["payments"] if refundable(p)}
        known = ids_in(wish, facts["payments"], facts.get("subscriptions", ()))
        if (ids := known.named(wish)) and ids <= set(own):
            return refunds_of([own[id_] for id_ in sorted(ids)], wish, wish)
    return []


def wanted_refunds(
    ticket: Ticket, payments: Sequence[Payment], subscriptions: Sequence[Subscription] = ()
) -> Wanted:
    """For the payments that a request names, or the later one of a duplicate.

    Nothing where no word is about a refund; unsure when there is one and no request that is clear.
    """
    text = f"{ticket['subject']}\n{ticket['body']}"
    if not MENTION.search(text):
        return Wanted()
    twice = TWICE.search(text) is not None
    known = ids_in(text[:READ_CHARS], payments, subscriptions)
    if (wish := refund_wish(ticket, twice=twice, known=known)) is None:
        return UNSURE
    if twice:
        return Wanted(found) if (found := duplicates(wish, payments)) else UNSURE
    return asked_for(wish, [p for p in payments if refundable(p)])


def asked_for(wish: RefundWish, left: Sequence[Payment]) -> Wanted:
    """What a request asks for of the payments that something is left of."""
    meant = meant_by(wish, left)
    chosen = meant if meant or wish.ids else left
    if not chosen or not wish.is_understood(chosen):
        return UNSURE
    if len(chosen) > 1 and not wish.ids:
        if not (ALL.search(wish.asked) or AMOUNT.search(wish.asked)):
            return Wanted(candidates=[p["id"] for p in chosen])
        if named_in(wish.text, left) not in ([], chosen):
            return UNSURE
    return Wanted(refunds) if (refunds := refunds_of(chosen, wish.asked, wish.quote)) else UNSURE


def meant_by(wish: RefundWish, payments: Sequence[Payment]) -> list[Payment]:
    """The payments that the request names by id, or by what was bought; none if an id is not
    theirs."""
    left = [p for p in payments if refundable(p)]
    if not wish.ids:
        return named_in(wish.scope, left)
    by_id = [p for p in left if p["id"] in wish.ids]
    return by_id if len(by_id) == len(wish.ids) else []


def named_in(text: str, payments: Sequence[Payment]) -> list[Payment]:
    """The payments whose whole description the text holds."""
    said = content_words(text)
    return [p for p in payments if content_words(p["description"]) <= said]


def duplicates(wish: RefundWish, payments: Sequence[Payment]) -> list[ProposedRefund]:
    """The later payment of one pair with the same amount and description within three days."""
    ordered = sorted(payments, key=lambda p: (p["captured_at"], p["id"]))
    pairs = [pair for pair in pairwise(ordered) if is_duplicate(*pair) and all(map(whole, pair))]
    ids = wish.known.named(wish.text)
    if len(pairs) != 1 or not ids <= {p["id"] for p in pairs[0]}:
        return []
    first, second = pairs[0]
    # Whoever names another amount or another thing than the duplicate's means something else.
    spoken = {minor_units(match, second["currency"]) for match in AMOUNT.finditer(wish.text)}
    other = [p for p in named_in(wish.text, payments) if p["description"] != second["description"]]
    if not spoken <= {second["amount_minor"]} or other or not wish.is_understood([second]):
        return []
    amount = format_money(second["amount_minor"], second["currency"])
    reason = f"{second['id']} repeats {first['id']}: {second['description']}, {amount}"
    return [refund(second, refundable(second), reason, wish.quote)]


def whole(payment: Payment) -> bool:
    """Whether nothing of the payment has gone back, and all of it could."""
    return refundable(payment) == payment["amount_minor"]


def is_duplicate(first: Payment, second: Payment) -> bool:
    """Whether the second payment looks like the first one taken again."""
    same = ("description", "amount_minor", "currency")
    apart = datetime.fromisoformat(second["captured_at"]) - datetime.fromisoformat(
        first["captured_at"]
    )
    return all(first[key] == second[key] for key in same) and apart <= DUPLICATE_WINDOW  # type: ignore[literal-required]  # keys of one TypedDict


def refunds_of(chosen: Sequence[Payment], asked: str, quote: str) -> list[ProposedRefund]:
    """A refund of each payment; none when the words about the amount are not clear."""
    amounts = named_amounts(asked, chosen)
    return [
        refund(p, amount, f"{ASKED_FOR} {p['description']} ({p['id']})", quote)
        for p, amount in zip(chosen, amounts or [], strict=False)
    ]


def named_amounts(text: str, chosen: Sequence[Payment]) -> list[int] | None:
    """What to give back of each payment; None when the ticket's words about it are not clear."""
    spoken = list(AMOUNT.finditer(text))
    if IN_WORDS.search(text) or (spoken and (len(spoken) > 1 or len(chosen) != 1)):
        return None
    if not spoken:
        return [refundable(p) for p in chosen]
    amount = minor_units(spoken[0], chosen[0]["currency"])
    return [amount] if amount and amount <= refundable(chosen[0]) else None


def refund(payment: Payment, amount: int, reason: str, quote: str) -> ProposedRefund:
    """A proposal to give that much of a payment back, in minor units."""
    return ProposedRefund(
        payment_id=payment["id"], amount_minor=amount, reason=reason[:500], wish=quote[:MAX_WISH]
    )
