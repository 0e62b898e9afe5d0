"""What must hold at the connected tenant's desk and provider at the end, whatever died."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import psycopg

from app.connectors.stripe.refunds import KEY_FIELD, marked
from app.services.connections.tickets import desk_ticket_id
from tests.acceptance.crash.cases import Case, Effect
from tests.acceptance.crash.connected import Connected
from tests.acceptance.crash.hosted import Hosted
from tests.doubles.own_desk import OwnDesk
from tests.doubles.stripe_double import StripeDouble

SENT = """
SELECT ticket_id, key FROM deliveries
WHERE tenant_id = %s AND connection_id = %s AND kind = 'reply' AND status = 'sent'"""
# By case number: how many replies of the bot the ticket at a hosted desk has.
HostedReplies = dict[int, int]
REFUNDED = """
SELECT key, args->>'payment_id', amount_minor FROM ledger
WHERE tenant_id = %s AND tool = 'refund_payment' AND status = 'done'"""


def violations(connected: Connected, cases: Iterable[Case], books: psycopg.Connection) -> list[str]:
    """All that is wrong there."""
    own, tenant_id = connected.own, connected.desk.world.tenant_id
    return [
        *wrong_replies(cases, own),
        *differing_replies(own, (tenant_id, connected.id), books),
        *differing_refunds(connected.stripe, tenant_id, books),
    ]


def wrong_replies(cases: Iterable[Case], own: OwnDesk) -> list[str]:
    """Tickets with more or fewer public replies than their story has, or one over a person."""
    found = [f"reply {key} was posted over a person" for key in own.over_person]
    for case in cases:
        if case.replies:
            said = own.tickets[str(case.number)].messages
            count = sum(m["public"] and m["author"] == "bot" for m in said)
            if count not in case.replies:
                found.append(f"{case.kind} {case.number}: {count} replies at the desk")
    return found


async def hosted_replies(desks: Iterable[Hosted]) -> HostedReplies:
    """What the customers of Zendesk, Zammad and Chatwoot have got."""
    return {number: await desk.said(number) for desk in desks for number in desk.tickets}


def wrong_hosted(
    connected: Connected, cases: Iterable[Case], said: HostedReplies, books: psycopg.Connection
) -> list[str]:
    """All that is wrong at Zendesk, Zammad and Chatwoot."""
    ended = {case.number for case in cases}
    found = []
    for desk in connected.hosted:
        rows = books.execute(SENT, [connected.desk.world.tenant_id, desk.made["id"]])
        sent = Counter(desk_ticket_id(ticket_id) for ticket_id, _ in rows)
        for number, ticket_id in desk.tickets.items():
            may = desk.replies[number] if number in ended else None
            tell = f"{desk.at.connector.kind} {number}"
            found += wrong_count(tell, said[number], sent[ticket_id], may)
    return found


def wrong_count(tell: str, said: int, sent: int, may: tuple[int, ...] | None) -> list[str]:
    """A ticket with more or fewer replies than its story has, or than we call sent.

    `may` is None for a story that did not come to its end.
    """
    found = []
    if may is not None and said not in may:
        found.append(f"{tell}: {said} replies at the desk")
    if said != sent:
        found.append(f"{tell}: {said} replies at the desk, and {sent} that we call sent")
    return found


def differing_replies(own: OwnDesk, where: tuple[str, str], books: psycopg.Connection) -> list[str]:
    """Public messages of the bot that are no delivery which we call sent, and the other way."""
    at_desk = Counter(
        (ticket_id, message["key"])
        for ticket_id, ticket in own.tickets.items()
        for message in ticket.messages
        if message["public"] and message["author"] == "bot"
    )
    rows = books.execute(SENT, where)
    sent = Counter((desk_ticket_id(ticket_id), key) for ticket_id, key in rows)
    return _differences("reply", at_desk, sent)


def differing_refunds(stripe: StripeDouble, tenant_id: str, books: psycopg.Connection) -> list[str]:
    """Refunds of the provider that the ledger does not call done, and the other way."""
    booked = Counter(
        (refund["metadata"].get(KEY_FIELD), refund["charge"], refund["amount"])
        for refund in stripe.refunds.values()
    )
    rows = books.execute(REFUNDED, [tenant_id])
    done = Counter((marked(key), payment, amount) for key, payment, amount in rows)
    return _differences("refund", booked, done)


def effects_of(stripe: StripeDouble) -> set[Effect]:
    """What the provider's books say happened."""
    return {("refund", one["charge"], one["amount"]) for one in stripe.refunds.values()}


def _differences(what: str, there: Counter[Any], ours: Counter[Any]) -> list[str]:
    beyond = [f"{what} {one} is there, and not in our books" for one in (there - ours).elements()]
    return beyond + [f"{what} {one} is not there" for one in (ours - there).elements()]
