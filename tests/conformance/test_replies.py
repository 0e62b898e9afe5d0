"""The fake and the local desk, also before a connected one, keep the laws of a run's replies."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import select

from app.adapters.ports.conversations import PostgresConversations
from app.db.core.connections import Sessions
from app.db.tables.connections import Delivery
from app.db.tables.runs import Message
from app.db.tables.sandbox import Handoff
from app.execution.wiring import Service
from app.services.connections import manage
from tests.conformance.replies import TEXT, Place, ReplyLaws, Said, fresh, hand_off, reply
from tests.conftest import Tenant
from tests.fakes import FakeConversations
from tests.integration.workplace import Workplace


@dataclass(frozen=True, slots=True)
class FakePlace:
    """The desk of the unit tests."""

    conversations: FakeConversations

    async def said(self, ticket_id: str) -> list[Said]:
        """What it keeps."""
        kept = self.conversations.replies.items()
        return [(r["text"], r["public"]) for key, r in kept if self._of(key, ticket_id)]

    async def handoffs(self, ticket_id: str) -> list[str]:
        """By the summary that came with its key."""
        keys = [key for key in self.conversations.keys if key in self.conversations.handoffs]
        first = {key: self.conversations.summaries[at] for at, key in reversed([*enumerate(keys)])}
        return [first[key] for key in self.conversations.handoffs if self._of(key, ticket_id)]

    def _of(self, key: str, ticket_id: str) -> bool:
        return self.conversations.tickets[key] == ticket_id


@dataclass(frozen=True, slots=True)
class LocalPlace:
    """The desk on our own tables, as a run has it; before a connected one when that is named."""

    sessions: Sessions
    tenant_id: str
    run_id: UUID
    connection_id: str | None = None

    @property
    def conversations(self) -> PostgresConversations:
        """The adapter."""
        return PostgresConversations(self.sessions, self.tenant_id, self.run_id, self.connection_id)

    async def said(self, ticket_id: str) -> list[Said]:
        """As the ticket's thread shows it."""
        query = select(Message.text, Message.public).where(
            Message.tenant_id == self.tenant_id, Message.ticket_id == ticket_id
        )
        async with self.sessions() as session:
            return [
                (text, public) for text, public in await session.execute(query.order_by(Message.id))
            ]

    async def handoffs(self, ticket_id: str) -> list[str]:
        """As the approvers' list shows them."""
        query = select(Handoff.summary).where(
            Handoff.tenant_id == self.tenant_id, Handoff.ticket_id == ticket_id
        )
        async with self.sessions() as session:
            return list(await session.scalars(query.order_by(Handoff.id)))

    async def on_their_way(self, ticket_id: str) -> Counter[tuple[str, str]]:
        """Kind and key of each thing that the connected desk is to get."""
        query = select(Delivery.kind, Delivery.key).where(
            Delivery.tenant_id == self.tenant_id, Delivery.ticket_id == ticket_id
        )
        async with self.sessions() as session:
            return Counter((kind, key) for kind, key in await session.execute(query))


class TestFake(ReplyLaws):
    """What the graph's unit tests speak through."""

    @pytest.fixture
    def place(self) -> Place:
        """A new desk."""
        return FakePlace(FakeConversations())


@pytest.mark.no_articles
class TestLocal(ReplyLaws):
    """The desk on our own tables."""

    @pytest.fixture
    async def place(self, service: Service, tenant: Tenant) -> LocalPlace:
        """A tenant's, with one run that speaks."""
        run = await Workplace(service, tenant).start()
        return LocalPlace(service.sessions, tenant.id, run.id)


@pytest.mark.no_articles
class TestLocalBeforeConnected(ReplyLaws):
    """The same tables, from which a dispatcher delivers to a connected desk."""

    @pytest.fixture
    async def place(self, service: Service, tenant: Tenant) -> AsyncIterator[LocalPlace]:
        """With a connection; what waits for it at the end is cancelled."""
        run = await Workplace(service, tenant).start()
        settings = {"url": "https://127.0.0.1:1/in"}
        async with service.sessions.begin() as session:
            row, _ = await manage.add(
                session, service.vault, tenant.id, "webhook", "Own", settings, {}
            )
            connection_id = row.id
        yield LocalPlace(service.sessions, tenant.id, run.id, connection_id)
        async with service.sessions.begin() as session:
            await manage.remove(session, tenant.id, connection_id)

    async def test_what_is_public_is_on_its_way_once(self, place: LocalPlace) -> None:
        """And what is private is not; a hand-off is a note there."""
        ticket, public, private, handoff = fresh(), fresh(), fresh(), f"handoff:{fresh()}"
        for _ in range(2):
            await reply(place, ticket, public)
            await reply(place, ticket, private, public=False)
            await hand_off(place, ticket, handoff)
        assert await place.on_their_way(ticket) == {("reply", public): 1, ("handoff", handoff): 1}

    async def test_repetition_of_a_private_reply_is_not_on_its_way(self, place: LocalPlace) -> None:
        """What is asked for as public the second time is not shown to the customer."""
        ticket, key = fresh(), fresh()
        await reply(place, ticket, key, public=False)
        await reply(place, ticket, key)
        assert await place.said(ticket) == [(TEXT, False)]
        assert await place.on_their_way(ticket) == {}
