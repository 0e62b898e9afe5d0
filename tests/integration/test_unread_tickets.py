"""Facts of hooks whose ticket cannot be read for a day: a person gets the ticket, once."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.connectors.errors import SettingsError
from app.connectors.helpdesk import TicketView
from app.connectors.hooks import Event
from app.db.connections import deliveries, inbox, queries
from app.db.core.connections import Sessions
from app.db.effects.ledger import start_entry
from app.db.tables.connections import Connection, Delivery, InboxItem
from app.db.tables.sandbox import Handoff
from app.services.connections.deliver import deliver
from app.services.connections.for_person import open_for_person, without_run
from app.services.connections.hooks import keep_event
from app.services.connections.inbound import read_item, read_refund
from app.services.connections.retries import GIVE_UP, MIN_ATTEMPTS, left_alone_until
from app.services.connections.tickets import ticket_name
from app.services.runs.start_and_cancel import NewRun, start
from app.worker.desk_dispatcher import LEASE
from tests.conftest import Tenant
from tests.integration.slow_desk import SlowDesk, connected_desk, fact, view
from tools.errors import UnavailableError

pytestmark = pytest.mark.no_articles


@pytest.fixture
async def row(sessions: Sessions, tenant: Tenant) -> Connection:
    """A connected desk."""
    return await connected_desk(sessions, tenant)


@dataclass(slots=True)
class SilentDesk(SlowDesk):
    """It never shows the ticket."""

    why: Exception = UnavailableError("no answer")  # noqa: RUF009  # it is only raised

    async def read(self, ticket_id: str) -> TicketView:
        """Fail."""
        raise self.why


async def tried_for_a_day(sessions: Sessions, item: InboxItem) -> InboxItem:
    """The fact after so many attempts in more than a day."""
    long_ago = datetime.now(UTC) - GIVE_UP - timedelta(minutes=1)
    async with sessions.begin() as session:
        await session.execute(
            update(InboxItem)
            .where(InboxItem.id == item.id)
            .values(received_at=long_ago, attempts=MIN_ATTEMPTS)
        )
        found = (await session.scalars(select(InboxItem).where(InboxItem.id == item.id))).one()
        session.expunge(found)
    return found


async def rows(sessions: Sessions, table: Any, tenant_id: str) -> list[Any]:
    """The tenant's rows of a table, oldest first."""
    async with sessions() as session:
        query = select(table).where(table.tenant_id == tenant_id).order_by(table.id)
        return list(await session.scalars(query))


@pytest.mark.parametrize("kind", ["message", "handback", "failed"])
@pytest.mark.parametrize("why", [UnavailableError("no answer"), SettingsError("no right")])
async def test_ticket_that_cannot_be_read_for_a_day_ends_at_a_person(
    sessions: Sessions, row: Connection, kind: Any, why: Exception
) -> None:
    """In the queue of hand-offs and on the connection, with the reason; the desk is informed."""
    item = await fact(sessions, row, Event(kind, "42", message_id="m1", key="reply:x"), "d1")
    await read_item(sessions, row, SilentDesk(view(), why=why), item)
    assert await rows(sessions, Handoff, row.tenant_id) == []
    await read_item(
        sessions, row, SilentDesk(view(), why=why), await tried_for_a_day(sessions, item)
    )
    [handoff] = await rows(sessions, Handoff, row.tenant_id)
    assert (handoff.ticket_id, handoff.status) == (ticket_name(row.id, "42"), "open")
    assert str(why) in handoff.summary
    [stored] = await rows(sessions, InboxItem, row.tenant_id)
    assert (stored.status, stored.note) == ("dead", str(why))
    async with sessions() as session:
        connection = await queries.live_connection(session, row.id)
    assert connection is not None
    assert "ticket 42" in (connection.last_error or "")
    [note] = await rows(sessions, Delivery, row.tenant_id)
    assert (note.kind, note.ticket_id) == ("handoff", handoff.ticket_id)


async def test_many_facts_of_a_ticket_are_one_handoff(sessions: Sessions, row: Connection) -> None:
    """Also when two workers give one up at the same moment; another ticket is another one."""
    given_up = []
    for n, ticket in enumerate(["42", "42", "42", "7"]):
        item = await fact(sessions, row, Event("message", ticket, message_id=f"m{n}"), f"d{n}")
        given_up.append(await tried_for_a_day(sessions, item))
    await asyncio.gather(
        *(read_item(sessions, row, SilentDesk(view()), item) for item in [*given_up, given_up[0]])
    )
    found = await rows(sessions, Handoff, row.tenant_id)
    assert sorted(one.ticket_id[-2:] for one in found) == ["42", ":7"]
    assert all(one.summary.count("could not be read") == 1 for one in found)
    assert len(await rows(sessions, Delivery, row.tenant_id)) == 2


async def test_handoff_of_no_run_is_delivered_without_fields(
    sessions: Sessions, row: Connection
) -> None:
    """No run has an outcome that the ticket's fields could follow from."""
    ticket = ticket_name(row.id, "42")
    async with sessions.begin() as session:
        await open_for_person(session, row.tenant_id, ticket, without_run(ticket), "Look at it.")
        [due] = [
            d for d in await deliveries.claim(session, LEASE, 1000) if d.connection_id == row.id
        ]
        session.expunge(due)
    desk = SlowDesk(view())
    await deliver(sessions, row, desk, due)
    [said] = desk.posted
    assert "Look at it." in said
    [sent] = await rows(sessions, Delivery, row.tenant_id)
    assert sent.status == "sent"


async def test_refund_that_the_provider_and_we_see_differently_ends_at_a_person(
    sessions: Sessions, row: Connection
) -> None:
    """Its own call never ended, so nothing says whether the provider's news is about it."""
    asked = {"id": "T-1", "subject": "", "body": "b", "customer": {"id": "c"}}
    async with sessions.begin() as session:
        run = await start(session, row.tenant_id, row.key_id, NewRun(asked, None, {}))
        await start_entry(
            session, tenant_id=row.tenant_id, key="refund:1", run_id=run.id, customer_id="c",
            tool="refund", step_id=None, approval_id=None, args={"payment_id": "ch_1"},
            amount_minor=4900, currency="USD",
        )  # fmt: skip
    news = Event("refund", refund_id="re_1", key="refund:1", why="failed")
    item = await fact(sessions, row, news, "d1")
    await read_refund(sessions, item)
    assert await rows(sessions, Handoff, row.tenant_id) == []
    item = await tried_for_a_day(sessions, item)
    await read_refund(sessions, item)
    await read_refund(sessions, item)
    [handoff] = await rows(sessions, Handoff, row.tenant_id)
    assert handoff.ticket_id == "T-1"
    assert "re_1 is failed" in handoff.summary


async def test_fact_waits_as_long_as_its_desk_asked(sessions: Sessions, row: Connection) -> None:
    """All facts of the connection do, and not longer than it asked, after many attempts too."""
    item = await fact(sessions, row, Event("message", "42", message_id="m1"), "d1")
    item.attempts = 12
    async with sessions.begin() as session:
        await session.execute(
            update(InboxItem).where(InboxItem.id == item.id).values(attempts=item.attempts)
        )
    limited = UnavailableError("HTTP 429", retry_after=30)
    await read_item(sessions, row, SilentDesk(view(), why=limited), item)
    async with sessions() as session:
        connection = await queries.live_connection(session, row.id)
    asked = left_alone_until(30)
    assert connection is not None
    assert connection.not_before is not None
    assert asked is not None
    assert timedelta(0) <= asked - connection.not_before < timedelta(seconds=20)
    other = Event("message", "7", message_id="m7")
    async with sessions.begin() as session:
        await keep_event(session, row, "d2", other)
    assert await due(sessions, row) == []
    async with sessions.begin() as session:
        await queries.note_write(session, row.id)
    assert await due(sessions, row) == ["d2"]


async def due(sessions: Sessions, row: Connection) -> list[str]:
    """The facts of the connection that a worker may read now, which it takes."""
    async with sessions.begin() as session:
        claimed = await inbox.claim(session, LEASE, 50)
        return [one.delivery_id for one in claimed if one.connection_id == row.id]
