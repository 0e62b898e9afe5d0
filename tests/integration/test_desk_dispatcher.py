"""The worker's parts for connected systems, in this process: what they claim, they do once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from pydantic import TypeAdapter
from sqlalchemy import select

from app.adapters.webhooks.ssrf_guard import make_guard
from app.api.schemas import OutsideId
from app.connectors.hooks import Event
from app.connectors.http import HttpClient
from app.db.connections import queries
from app.db.tables.connections import Connection, Delivery, InboxItem
from app.db.tables.runs import Run
from app.execution.wiring import Service
from app.services.connections import hooks, manage
from app.services.connections.tickets import ticket_name
from app.worker.desk_dispatcher import deliver_to_desks
from app.worker.mailbox_reader import read_mailboxes
from tests.cases import some
from tests.conftest import Tenant
from tests.doubles.imap_server import imap_server
from tests.doubles.own_desk import OwnDesk
from tests.doubles.server import serving
from tests.integration.place import client
from tests.integration.workplace import Workplace
from tests.mailboxes import ADDRESS, mail

E42 = "My upload fails with error E42. How do I fix it?"
PATIENCE_SECONDS = 30


async def eventually(condition: Callable[[], Awaitable[Any]]) -> Any:
    """What the condition answers once that is true."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await condition()):  # noqa: ASYNC110  # rows that another task writes
            await asyncio.sleep(0.05)
        return found


@dataclass(slots=True)
class Office:
    """A tenant with a connected desk, and a service that may reach it."""

    service: Service
    tenant: Tenant
    desk: OwnDesk
    row: Connection

    async def hear(self, event: Event, delivery: str = "d-1") -> None:
        """A hook says so."""
        async with self.service.sessions.begin() as session:
            await hooks.keep_event(session, self.row, delivery, event)

    async def rows(self, table: Any) -> list[Any]:
        """The tenant's rows of a table."""
        async with self.service.sessions() as session:
            query = select(table).where(table.tenant_id == self.tenant.id).order_by(table.id)
            return list(await session.scalars(query))

    @asynccontextmanager
    async def working(self, *parts: Any) -> AsyncIterator[None]:
        """While these parts of the worker run."""
        stop = asyncio.Event()
        tasks = [asyncio.create_task(part(self.service, stop)) for part in parts]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)


@pytest.fixture
async def office(service: Service, tenant: Tenant) -> AsyncIterator[Office]:
    """A new one."""
    desk = OwnDesk()
    with serving(desk.app) as url:
        port = urlsplit(url).port
        async with HttpClient(make_guard([f"127.0.0.1:{port}"])) as http:
            async with service.sessions.begin() as session:
                settings = {"url": f"{url}/deskgraph", "groups": {"complaints": "Finance"}}
                row, secret = await manage.add(
                    session, service.vault, tenant.id, "webhook", "Own", settings, {}
                )
                session.expunge(row)
            desk.connect("", secret)
            yield Office(replace(service, http=http), tenant, desk, row)


async def run_of(office: Office) -> Run:
    """The run that a hook started, advanced to its rest."""

    async def started() -> Any:
        return await office.rows(Run)

    [run] = await eventually(started)
    await Workplace(office.service, office.tenant).advance(run)
    found: Run = run
    return found


async def test_hook_becomes_a_run_and_its_reply_is_delivered(office: Office) -> None:
    """Read where the ticket is, answered once, and its fields follow the hand-off."""
    office.desk.open("42", "I want to speak to a person, please.", hook=False)
    async with office.working(deliver_to_desks):
        await office.hear(Event("message", "42", message_id="2:42:m1"))
        run = await run_of(office)
        assert run.ticket_id == ticket_name(office.row.id, "42")

        async def delivered() -> Any:
            rows = await office.rows(Delivery)
            return len(rows) == 3 and all(row.status == "sent" for row in rows)

        await eventually(delivered)
    assert len(office.desk.public("42")) == 1
    assert len(office.desk.notes("42")) == 1
    assert office.desk.tickets["42"].fields["group"] == "Finance"
    [item] = await office.rows(InboxItem)
    assert (item.status, item.note) == ("done", "1 messages wait for an answer")


@pytest.mark.parametrize(
    "ticket", some(["2026/0042", "Auftrag Nr. 7", "問い合わせ-42", "42%20", "../42"], 5)
)
async def test_ticket_of_any_name_is_read_answered_and_asked_for(
    office: Office, ticket: str
) -> None:
    """The desk hears its own id; the API knows the ticket by a name that fits a URL."""
    office.desk.open(ticket, E42, hook=False)
    async with office.working(deliver_to_desks):
        await office.hear(Event("message", ticket, message_id="m1"))
        run = await run_of(office)

        async def sent() -> Any:
            return [row for row in await office.rows(Delivery) if row.status == "sent"]

        await eventually(sent)
    assert len(office.desk.public(ticket)) == 1
    name = TypeAdapter(OutsideId).validate_python(run.ticket_id)
    async with client(office.service, office.tenant.approver) as approver:
        answer = await approver.post(f"/v1/threads/{quote(name, safe='')}/takeover")
    assert answer.status_code == 200, answer.text
    assert answer.json()["ticket_id"] == name


async def test_desk_that_is_away_or_limits_is_asked_again(office: Office) -> None:
    """The attempt is postponed with the reason; the reply leaves once."""
    office.desk.open("42", E42, hook=False)
    office.desk.faults = ["later"]
    async with office.working(deliver_to_desks):
        await office.hear(Event("message", "42", message_id="2:42:m1"))
        await run_of(office)

        async def sent() -> Any:
            return [row for row in await office.rows(Delivery) if row.status == "sent"]

        await eventually(sent)
    assert len(office.desk.public("42")) == 1


async def test_refused_signature_pauses_the_connection_once(office: Office) -> None:
    """What waits stays; nothing is called any more."""
    office.desk.open("42", E42, hook=False)
    office.desk.secret = "whsec_" + "B" * 43 + "="
    async with office.working(deliver_to_desks):
        await office.hear(Event("message", "42", message_id="2:42:m1"))

        async def paused() -> Any:
            async with office.service.sessions() as session:
                row = await queries.live_connection(session, office.row.id)
            return row and row.paused_because

        assert "401" in await eventually(paused)
    [item] = await office.rows(InboxItem)
    assert item.status == "new"


async def test_facts_about_nothing_of_ours_are_done(office: Office) -> None:
    """A refund that we did not make, a key that we did not send, a ticket that is gone."""
    office.desk.open("42", E42, hook=False)
    async with office.working(deliver_to_desks):
        await office.hear(Event("refund", refund_id="re_1", key="refund:x", why="failed"), "a")
        await office.hear(Event("failed", "42", key="reply:none"), "b")
        await office.hear(Event("message", "gone", message_id="4:gone:m"), "c")
        await office.hear(Event("handback", "42"), "d")

        async def done() -> Any:
            items = await office.rows(InboxItem)
            return {i.delivery_id: i.note for i in items} if all(
                i.status == "done" for i in items
            ) else None  # fmt: skip

        notes = await eventually(done)
    assert notes["a"] == "no refund of ours"
    assert notes["b"] == "no key of this ticket"
    assert notes["c"] == "the ticket is gone"


async def test_mailbox_is_read_and_let_go(office: Office) -> None:
    """Its mails become facts with the cursor; at the end another worker may read it at once."""
    async with imap_server() as box, HttpClient(make_guard([f"127.0.0.1:{box.port}"])) as http:
        office.service = replace(office.service, http=http)
        settings = {
            "address": ADDRESS, "imap_host": "127.0.0.1", "imap_port": box.port,
            "imap_security": "plain", "smtp_host": "127.0.0.1", "smtp_port": box.port,
            "smtp_security": "plain",
        }  # fmt: skip
        given = {"user": box.user, "password": box.password}
        async with office.service.sessions.begin() as session:
            row, _ = await manage.add(
                session, office.service.vault, office.tenant.id, "email", "Mail", settings, given
            )
            mailbox = row.id

        async def read() -> Any:
            async with office.service.sessions() as session:
                found = await queries.live_connection(session, mailbox)
            return found if found and found.cursor else None

        async def came() -> Any:
            return [i for i in await office.rows(InboxItem) if i.connection_id == mailbox]

        async with office.working(read_mailboxes):
            leased = await eventually(read)
            assert leased.leased_until is not None
            await box.put(bytes(mail()))
            [item] = await eventually(came)
            assert item.event["kind"] == "message"
        assert (await read()).leased_until is None
