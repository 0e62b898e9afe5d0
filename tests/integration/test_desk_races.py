"""What changes while a desk takes its time to answer: nothing leaves, and nothing is taken back."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from app.connectors.helpdesk import (
    DeskMessage,
    Requester,
    TicketView,
)
from app.connectors.hooks import Event
from app.db.connections import deliveries
from app.db.core.connections import Sessions
from app.db.effects import takeovers
from app.db.tables.connections import Connection, InboxItem
from app.db.tables.runs import Message
from app.db.tenants import pauses
from app.services.connections import manage
from app.services.connections.deliver import deliver
from app.services.connections.inbound import read_item
from app.services.connections.retries import ATTEMPT_SECONDS, attempt_of
from app.services.connections.tickets import ticket_name
from app.services.conversations import takeover
from app.worker.desk_dispatcher import LEASE
from tests.conftest import Tenant
from tests.integration.slow_desk import KEY, SlowDesk, connected_desk, fact, now, reply, view
from tools.errors import UnavailableError

pytestmark = pytest.mark.no_articles


@pytest.fixture
async def row(sessions: Sessions, tenant: Tenant) -> Connection:
    """A connected desk."""
    return await connected_desk(sessions, tenant)


async def test_ticket_handed_back_while_it_is_read_stays_the_bots(
    sessions: Sessions, row: Connection
) -> None:
    """The answer shows who had it before; read again, no person has it."""
    item = await fact(sessions, row, Event("message", "42", message_id="m1"), "d1")

    async def handed_back() -> None:
        back = await fact(sessions, row, Event("handback", "42"), "d2")
        await read_item(sessions, row, SlowDesk(view()), back)

    await read_item(sessions, row, SlowDesk(view("Emma"), handed_back), item)
    async with sessions() as session:
        taken = await takeovers.get_takeover(session, row.tenant_id, ticket_name(row.id, "42"))
        stored = (await session.scalars(select(InboxItem).where(InboxItem.id == item.id))).one()
    assert taken is None
    assert (stored.status, stored.note) == ("new", "the ticket was handed back meanwhile")


async def test_reply_waits_when_its_tenant_is_paused_while_the_ticket_is_read(
    sessions: Sessions, row: Connection
) -> None:
    """The switch holds back what was claimed before it as well."""
    delivery = await reply(sessions, row)

    async def paused() -> None:
        async with sessions.begin() as session:
            await pauses.write_pause(session, row.tenant_id, "ops")

    desk = SlowDesk(view(), paused)
    await deliver(sessions, row, desk, delivery)
    assert (desk.posted, (await now(sessions, delivery)).status) == ([], "pending")
    async with sessions.begin() as session:
        await pauses.remove_pause(session, row.tenant_id)
    await deliver(sessions, row, SlowDesk(view()), await now(sessions, delivery))
    assert (await now(sessions, delivery)).status == "sent"


async def test_removed_connection_leaves_nothing_that_waits(
    sessions: Sessions, row: Connection
) -> None:
    """What waited is ended, and no customer got it: nothing of it stays for ever."""
    delivery = await reply(sessions, row)
    item = await fact(sessions, row, Event("message", "7", message_id="m7"), "d1")
    async with sessions.begin() as session:
        await manage.remove(session, row.tenant_id, row.id)
    async with sessions() as session:
        stored = (await session.scalars(select(InboxItem).where(InboxItem.id == item.id))).one()
        message = await deliveries.message_of(session, row.tenant_id, KEY)
    assert (stored.status, (await now(sessions, delivery)).status) == ("dead", "cancelled")
    assert message is not None
    assert message.public is False


async def test_words_erased_while_the_ticket_is_read_are_not_sent(
    sessions: Sessions, row: Connection
) -> None:
    """Nor at the next attempt, which ends the delivery."""
    delivery = await reply(sessions, row)

    async def erased() -> None:
        async with sessions.begin() as session:
            await session.execute(delete(Message).where(Message.tenant_id == row.tenant_id))

    desk = SlowDesk(view(), erased)
    await deliver(sessions, row, desk, delivery)
    await deliver(sessions, row, desk, await now(sessions, delivery))
    assert (desk.posted, (await now(sessions, delivery)).status) == ([], "cancelled")


async def test_person_whose_message_was_seen_and_handed_back_stops_no_reply(
    sessions: Sessions, row: Connection
) -> None:
    """One that was not seen does, even if another wrote last."""
    person = DeskMessage("p1", "person", public=True, text="I will look into it.")
    again = DeskMessage("m2", "customer", public=True, text="And E42?")
    delivery = await reply(sessions, row)
    desk = SlowDesk(view(None, person, again))
    back = await fact(sessions, row, Event("handback", "42"), "d1")
    await read_item(sessions, row, desk, back)
    await deliver(sessions, row, desk, delivery)
    assert (await now(sessions, delivery)).status == "sent"
    later = DeskMessage("p2", "person", public=True, text="No: I have it.")
    item = await fact(sessions, row, Event("message", "42", message_id="m2"), "d2")
    await read_item(sessions, row, SlowDesk(view(None, person, later, again)), item)
    async with sessions() as session:
        assert await takeovers.get_takeover(session, row.tenant_id, ticket_name(row.id, "42"))


async def test_hand_back_that_a_dead_worker_began_asks_again(
    sessions: Sessions, row: Connection
) -> None:
    """It died between the hand-back and the run: the next attempt knows, and one run is made."""
    async with sessions.begin() as session:
        await takeover.take_over(session, row.tenant_id, ticket_name(row.id, "42"), "Emma")
    item = await fact(sessions, row, Event("handback", "42"), "d1")
    await read_item(sessions, row, SlowDesk(view()), item)
    async with sessions() as session:
        stored = (await session.scalars(select(InboxItem).where(InboxItem.id == item.id))).one()
    assert stored.event["again"] is True, "with the hand-back, before any run"
    await read_item(sessions, row, SlowDesk(view()), stored)
    async with sessions() as session:
        asked = select(Message.run_id).where(
            Message.tenant_id == row.tenant_id, Message.author == "customer"
        )
        runs: list[UUID | None] = list(await session.scalars(asked))
    assert len(runs) == 1


async def test_what_postgres_cannot_store_starts_a_run(sessions: Sessions, row: Connection) -> None:
    """A mail in UTF-7 holds half a surrogate pair: it is a message as any other."""
    odd = TicketView(
        "1", "Help \x00", Requester("ann", name="A\ud800"),
        (DeskMessage("m1", "customer", public=True, text="E42 \ud800\x00 ?"),),
    )  # fmt: skip
    item = await fact(sessions, row, Event("message", "42", message_id="m1"), "d1")
    await read_item(sessions, row, SlowDesk(odd), item)
    async with sessions() as session:
        said = select(Message.text).where(Message.tenant_id == row.tenant_id)
        assert list(await session.scalars(said)) == ["E42 \ufffd\ufffd ?"]


async def test_attempt_ends_before_another_worker_may_begin_one() -> None:
    """However slowly a desk answers: what happened is unknown, and is looked at later."""
    assert timedelta(seconds=ATTEMPT_SECONDS) < LEASE
    with pytest.raises(UnavailableError, match=r"within 0\.01 s"):
        async with attempt_of("it did not end", 0.01):
            await asyncio.sleep(5)
