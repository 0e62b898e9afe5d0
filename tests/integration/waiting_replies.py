"""Replies that wait for a desk, for simulations that deliver them in a time of their own."""

from dataclasses import dataclass

from app.db.connections import deliveries
from app.db.runs.steps import add_message
from app.db.tables.connections import Connection, Delivery
from app.db.tables.runs import Message
from app.execution.wiring import Service
from app.services.connections import manage
from tests.conftest import Tenant
from tests.integration.workplace import Workplace

TEXT = "It is on its way."


@dataclass(slots=True)
class WaitingReplies:
    """Replies of one tenant that wait for its desk, and what became of them."""

    service: Service
    tenant: Tenant
    row: Connection
    run_id: str

    async def add(self, name: str) -> None:
        """A reply waits for the ticket of that name."""
        about = {"tenant_id": self.tenant.id, "ticket_id": name, "key": f"reply:{name}"}
        async with self.service.sessions.begin() as session:
            await add_message(
                session, **about, run_id=self.run_id, author="deskgraph", text=TEXT, citations=[],
                public=True,
            )  # fmt: skip
            await deliveries.add(session, **about, connection_id=self.row.id, kind="reply")

    async def next_attempt(self, name: str) -> Delivery | None:
        """The claimed delivery, whatever time it is; None once the reply has ended."""
        async with self.service.sessions.begin() as session:
            found = await deliveries.find(session, self.tenant.id, "reply", f"reply:{name}")
            assert found is not None
            if found.status != "pending":
                return None
            found.attempts += 1
            await session.flush()
            session.expunge(found)
        return found

    async def end(self, name: str) -> tuple[Delivery, Message]:
        """How the reply ended, and what is remembered of it."""
        key = f"reply:{name}"
        async with self.service.sessions() as session:
            found = await deliveries.find(session, self.tenant.id, "reply", key)
            message = await deliveries.message_of(session, self.tenant.id, key)
        assert found is not None
        assert message is not None
        return found, message


async def waiting_replies(service: Service, tenant: Tenant) -> WaitingReplies:
    """None yet, of a tenant with a connection."""
    run = await Workplace(service, tenant).start()
    async with service.sessions.begin() as session:
        settings = {"url": "https://127.0.0.1:1/in"}
        row, _ = await manage.add(session, service.vault, tenant.id, "webhook", "Own", settings, {})
        session.expunge(row)
    return WaitingReplies(service, tenant, row, str(run.id))
