"""Conversations on our own tables: replies join the ticket's messages, hand-offs find a person.

For a ticket of a connected desk, both are put on their way there in the same transaction, so that
what we remember never depends on the desk, and nothing is lost on the way to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.connections import deliveries
from app.db.core.compiled import Executor
from app.db.core.connections import Sessions
from app.db.effects import handoffs
from app.db.runs.steps import add_message
from app.db.tables import sandbox
from app.db.tables.runs import Message
from tools.models import FoundArticle, Handoff, SentReply, Suggestion, Urgency
from tools.ports import Conversations


@dataclass(frozen=True, slots=True)
class PostgresConversations(Conversations):
    """Drops a repeated key, so that a reply or a hand-off exists once."""

    sessions: Sessions
    tenant_id: str
    run_id: UUID
    connection_id: str | None = None

    async def reply(
        self, ticket_id: str, text: str, citations: list[str], *, public: bool, key: str
    ) -> SentReply:
        """Add the reply to the ticket's conversation."""
        said = {"text": text, "citations": citations, "public": public, "key": key}
        if self.connection_id is None:
            async with self.sessions.raw_connection() as connection:
                message = await self._add(connection, ticket_id, **said)
        else:
            async with self.sessions.begin() as session:
                message = await self._add(session, ticket_id, **said)
                if message.public:
                    await self._put_on_its_way(session, ticket_id, "reply", key)
        return {
            "id": f"msg_{message.id}",
            "text": message.text,
            "citations": message.citations,
            "public": message.public,
        }

    async def _add(self, executor: Executor, ticket_id: str, **said: Any) -> Message:
        """The bot's message; a repeated key answers the first one."""
        own = {"tenant_id": self.tenant_id, "ticket_id": ticket_id, "run_id": self.run_id}
        return await add_message(executor, **own, author="deskgraph", **said)

    async def open_handoff(
        self,
        ticket_id: str,
        skill: str,
        urgency: Urgency,
        summary: str,
        *,
        key: str,
        suggestion: Suggestion | None = None,
        articles: Sequence[FoundArticle] = (),
        questions: Sequence[str] = (),
    ) -> Handoff:
        """Find a person, or a place in the queue, and note the hand-off, as one change."""
        async with self.sessions.begin() as session:
            await handoffs.lock_desk(session, self.tenant_id)
            row = await handoffs.open_handoff(
                session,
                self.tenant_id,
                ticket_id,
                skill,
                urgency,
                summary,
                key,
                suggestion=suggestion,
                articles=articles,
                questions=questions,
            )
            await self._put_on_its_way(session, ticket_id, "handoff", row.key)
            return await self._show(session, row)

    async def _put_on_its_way(
        self, session: AsyncSession, ticket_id: str, kind: str, key: str
    ) -> None:
        if self.connection_id is not None:
            await deliveries.add(
                session,
                tenant_id=self.tenant_id,
                connection_id=self.connection_id,
                ticket_id=ticket_id,
                kind=kind,
                key=key,
            )

    async def _show(self, session: AsyncSession, row: sandbox.Handoff) -> Handoff:
        agent = await session.get(sandbox.Agent, (self.tenant_id, row.agent_id or ""))
        waits = agent is None and row.status == "open"
        place, opens_at = await handoffs.queue_place(session, row) if waits else (None, None)
        return {
            "id": str(row.id),
            "skill": row.skill,
            "urgency": row.urgency,  # type: ignore[typeddict-item]  # written from an Urgency
            "agent": {"id": agent.id, "name": agent.name} if agent else None,
            "queue_position": place,
            "opens_at": opens_at.isoformat() if opens_at else None,
        }
