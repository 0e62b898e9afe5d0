"""Hooks of people and hand-backs that come late and out of order: the desk's own order counts."""

import time
from itertools import permutations

import pytest

from app.connectors.hooks import Event
from app.db.core.connections import Sessions
from app.db.effects import takeovers
from app.db.tables.connections import Connection
from app.services.connections.hand_back import hand_back_ticket
from app.services.connections.hooks import keep_event
from app.services.connections.inbound import read_item
from app.services.connections.order import CLOCKS_DIFFER
from app.services.connections.tickets import ticket_name
from app.services.conversations import takeover
from tests.conftest import Tenant
from tests.integration.slow_desk import SlowDesk, connected_desk, fact, view

pytestmark = pytest.mark.no_articles

TICKET = "42"


@pytest.fixture
async def row(sessions: Sessions, tenant: Tenant) -> Connection:
    """A connected desk."""
    return await connected_desk(sessions, tenant)


async def come(sessions: Sessions, row: Connection, event: Event, delivery: str) -> None:
    """The hook comes, and a worker reads the ticket where it has to; no person is assigned."""
    if event.kind == "person":
        async with sessions.begin() as session:
            await keep_event(session, row, delivery, event)
    else:
        await read_item(sessions, row, SlowDesk(view()), await fact(sessions, row, event, delivery))


async def is_taken(sessions: Sessions, row: Connection, ticket: str = TICKET) -> bool:
    """Whether a person has the ticket."""
    async with sessions() as session:
        name = ticket_name(row.id, ticket)
        return await takeovers.get_takeover(session, row.tenant_id, name) is not None


def person(order: int | None, ticket: str = TICKET) -> Event:
    """A person wrote, or was assigned."""
    return Event("person", ticket, message_id=f"{ticket}:p{order}", who="Emma", order=order)


def back(order: int | None, ticket: str = TICKET) -> Event:
    """The ticket was handed back."""
    return Event("handback", ticket, order=order)


@pytest.mark.parametrize("hooks", list(permutations([person(10), back(20), person(30)])))
async def test_ticket_is_the_last_persons_in_whatever_order_hooks_come(
    sessions: Sessions, row: Connection, hooks: tuple[Event, ...]
) -> None:
    """Emma wrote, handed back, and wrote again."""
    for number, hook in enumerate(hooks):
        await come(sessions, row, hook, f"d{number}")
    assert await is_taken(sessions, row)


@pytest.mark.parametrize("hooks", list(permutations([person(10), back(20)])))
async def test_ticket_that_was_handed_back_last_is_the_bots(
    sessions: Sessions, row: Connection, hooks: tuple[Event, ...]
) -> None:
    """A late hook of what was written before the hand-back does not silence it again."""
    for number, hook in enumerate(hooks):
        await come(sessions, row, hook, f"d{number}")
    assert not await is_taken(sessions, row)


@pytest.mark.parametrize("late", [person(None), person(20)])
async def test_person_is_believed_where_nothing_says_that_they_were_earlier(
    sessions: Sessions, row: Connection, late: Event
) -> None:
    """A hook without an order, or of the same moment: silence is safe."""
    await come(sessions, row, back(20), "d1")
    await come(sessions, row, late, "d2")
    assert await is_taken(sessions, row)


async def test_hand_back_of_another_ticket_or_desk_says_nothing(
    sessions: Sessions, row: Connection, tenant: Tenant
) -> None:
    """The order counts within one ticket of one connection."""
    other = await connected_desk(sessions, tenant)
    await come(sessions, row, back(90, "7"), "d1")
    await come(sessions, other, back(90), "d1")
    await come(sessions, row, person(10), "d2")
    assert await is_taken(sessions, row)


@pytest.mark.parametrize(("ago", "silent"), [(CLOCKS_DIFFER + 5, False), (CLOCKS_DIFFER / 2, True)])
async def test_hand_back_over_the_api_outlives_hooks_of_before(
    sessions: Sessions, row: Connection, ago: float, silent: bool
) -> None:
    """The desk's clock is compared with ours, with room for clocks that differ."""
    written = Event("person", TICKET, message_id="p1", order=1, written_at=time.time() - ago)
    name = ticket_name(row.id, TICKET)
    async with sessions.begin() as session:
        await takeover.take_over(session, row.tenant_id, name, "Emma")
    async with sessions.begin() as session:
        assert await hand_back_ticket(session, row.tenant_id, name)
    await come(sessions, row, written, "d1")
    assert await is_taken(sessions, row) == silent


async def test_hand_back_of_a_ticket_of_another_tenants_desk_writes_nothing(
    sessions: Sessions, row: Connection
) -> None:
    """A name that holds their connection is only a name."""
    theirs = ticket_name(row.id, TICKET)
    async with sessions.begin() as session:
        assert not await hand_back_ticket(session, "another-tenant", theirs)
    old = Event("person", TICKET, message_id="p1", written_at=time.time() - 3600)
    await come(sessions, row, old, "d1")
    assert await is_taken(sessions, row)
