"""A desk of one ticket in this process, and its facts and deliveries as a worker has them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlalchemy import select

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
from app.db.runs.steps import add_message
from app.db.tables.connections import Connection, Delivery, InboxItem
from app.services.connections import manage
from app.services.connections.encryption import Vault
from app.services.connections.hooks import keep_event
from app.services.connections.tickets import ticket_name
from app.services.runs.start_and_cancel import NewRun, start
from app.worker.desk_dispatcher import LEASE
from tests.conftest import ENCRYPTION_KEY, Tenant

WRITTEN = DeskMessage("m1", "customer", public=True, text="How do I fix E42?")
KEY = "reply:the-run"
# More than all tests of one database leave behind.
MANY = 10_000


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


async def connected_desk(sessions: Sessions, tenant: Tenant) -> Connection:
    """A connection of the tenant to a desk."""
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
            for item in await inbox.claim(session, LEASE, MANY)
            if item.connection_id == row.id and item.delivery_id == delivery
        ]
        session.expunge(item)
    return item


async def reply(sessions: Sessions, row: Connection, key: str = KEY) -> Delivery:
    """A reply on its way, claimed."""
    ticket = ticket_name(row.id, "42")
    asked = {"id": ticket, "subject": "", "body": "b", "customer": {"id": "c"}}
    async with sessions.begin() as session:
        run = await start(session, row.tenant_id, row.key_id, NewRun(asked, None, {}))
        await add_message(
            session, tenant_id=row.tenant_id, ticket_id=ticket, run_id=run.id, author="deskgraph",
            key=key, text="Press reset.", citations=[], public=True,
        )  # fmt: skip
        await deliveries.add(
            session, tenant_id=row.tenant_id, connection_id=row.id, ticket_id=ticket, kind="reply",
            key=key,
        )  # fmt: skip
        due = await deliveries.claim(session, LEASE, 50)
        [mine] = [one for one in due if one.connection_id == row.id]
        session.expunge(mine)
    return mine


async def now(sessions: Sessions, delivery: Delivery) -> Delivery:
    """The delivery as it is stored."""
    async with sessions() as session:
        return (await session.scalars(select(Delivery).where(Delivery.id == delivery.id))).one()
