"""What changes while a desk takes its time to answer: nothing leaves, and nothing is taken back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from app.connectors.helpdesk import (
    Answer,
    Change,
    DeskMessage,
    Helpdesk,
    Posted,
    Requester,
    TicketView,
)
from app.connectors.hooks import Event
from app.db.connections import deliveries, inbox
from app.db.core.connections import Sessions
from app.db.effects import takeovers
from app.db.runs.steps import add_message
from app.db.tables.connections import Connection, Delivery, InboxItem
from app.db.tables.runs import Message
from app.db.tenants import pauses
from app.services.connections import manage
from app.services.connections.deliver import deliver
from app.services.connections.encryption import Vault
from app.services.connections.hooks import keep_event
from app.services.connections.inbound import read_item
from app.services.connections.retries import ATTEMPT_SECONDS, attempt_of
from app.services.connections.tickets import ticket_name
from app.services.conversations import takeover
from app.services.runs.start_and_cancel import NewRun, start
from app.worker.desk_dispatcher import LEASE
from tests.conftest import ENCRYPTION_KEY, Tenant
from tools.errors import UnavailableError

WRITTEN = DeskMessage("m1", "customer", public=True, text="How do I fix E42?")
KEY = "reply:the-run"


async def nothing() -> None:
    """Nothing happens meanwhile."""


@dataclass(slots=True)
class SlowDesk(Helpdesk):
    """A desk of one ticket; `meanwhile` happens after it read it, and before we hear of it."""

    view: TicketView
    meanwhile: Callable[[], Awaitable[None]] = nothing
    posted: list[str] = field(default_factory=list)

    async def read(self, ticket_id: str) -> TicketView:
        """The ticket as it was."""
        await self.meanwhile()
        return self.view

    async def find_reply(self, ticket_id: str, key: str) -> str | None:
        """Nothing was posted before."""
        return None

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """Post it."""
        self.posted.append(text)
        return Posted("1")

    async def note(self, ticket_id: str, text: str, *, key: str) -> Answer:
        """Post it."""
        self.posted.append(text)
        return Posted("1")

    async def change(self, ticket_id: str, change: Change, *, key: str) -> Answer:
        """Done."""
        return Posted("")


def view(assignee: str | None = None, *messages: DeskMessage) -> TicketView:
    """The ticket with what the customer wrote, and more."""
    said = (WRITTEN, *messages)
    return TicketView("1", "Help", Requester("ann"), said, assignee=assignee)


@pytest.fixture
async def row(sessions: Sessions, tenant: Tenant) -> Connection:
    """A connected desk."""
    async with sessions.begin() as session:
        added, _ = await manage.add(
            session, Vault([ENCRYPTION_KEY]), tenant.id, "webhook", "Own",
            {"url": "https://desk.example"}, {},
        )  # fmt: skip
        session.expunge(added)
    return added


async def fact(sessions: Sessions, row: Connection, event: Event, delivery: str) -> InboxItem:
    """A hook's fact, claimed."""
    async with sessions.begin() as session:
        await keep_event(session, row, delivery, event)
        [item] = [
            item
            for item in await inbox.claim(session, LEASE, 50)
            if item.connection_id == row.id and item.delivery_id == delivery
        ]
        session.expunge(item)
    return item


async def reply(sessions: Sessions, row: Connection) -> Delivery:
    """A reply on its way, claimed."""
    ticket = ticket_name(row.id, "42")
    asked = {"id": ticket, "subject": "", "body": "b", "customer": {"id": "c"}}
    async with sessions.begin() as session:
        run = await start(session, row.tenant_id, row.key_id, NewRun(asked, None, {}))
        await add_message(
            session, tenant_id=row.tenant_id, ticket_id=ticket, run_id=run.id, author="deskgraph",
            key=KEY, text="Press reset.", citations=[], public=True,
        )  # fmt: skip
        await deliveries.add(
            session, tenant_id=row.tenant_id, connection_id=row.id, ticket_id=ticket, kind="reply",
            key=KEY,
        )  # fmt: skip
        due = await deliveries.claim(session, LEASE, 50)
        [mine] = [one for one in due if one.connection_id == row.id]
        session.expunge(mine)
    return mine


async def now(sessions: Sessions, delivery: Delivery) -> Delivery:
    """The delivery as it is stored."""
    async with sessions() as session:
        return (await session.scalars(select(Delivery).where(Delivery.id == delivery.id))).one()


async def test_ticket_handed_back_while_it_is_read_stays_the_bots(
    sessions: Sessions, row: Connection
) -> None:
    """The answer shows who had it before; read again, nobody has it."""
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
    """One that was not seen does, whoever wrote last."""
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
