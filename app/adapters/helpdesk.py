"""The helpdesk on our own tables: replies join the ticket's messages, hand-offs find a person."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import sandbox
from app.db.engine import Sessions
from app.db.steps import add_message
from tools.helpdesk import pick_agent
from tools.models import Agent, Handoff, SentReply, Urgency


@dataclass(frozen=True, slots=True)
class LocalHelpdesk:
    """Drops a repeated key, so that a reply or a hand-off exists once."""

    sessions: Sessions
    tenant_id: str
    run_id: UUID

    async def reply(
        self, ticket_id: str, text: str, citations: list[str], *, public: bool, key: str
    ) -> SentReply:
        """Add the reply to the ticket's conversation."""
        async with self.sessions.begin() as session:
            message = await add_message(
                session,
                tenant_id=self.tenant_id,
                ticket_id=ticket_id,
                run_id=self.run_id,
                author="deskgraph",
                key=key,
                text=text,
                citations=citations,
                public=public,
            )
        return {
            "id": f"msg_{message.id}",
            "text": message.text,
            "citations": message.citations,
            "public": message.public,
        }

    async def open_handoff(
        self, ticket_id: str, skill: str, urgency: Urgency, summary: str, *, key: str
    ) -> Handoff:
        """Pick the least loaded available person and note the hand-off, as one change."""
        async with self.sessions.begin() as session:
            # Two hand-offs at once would both see the same least loaded person.
            who = f"handoffs\x1f{self.tenant_id}"
            await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(who, 0))))
            agent = pick_agent(await self._agents(session), skill, datetime.now(UTC))
            await session.execute(
                insert(sandbox.Handoff)
                .values(
                    id=uuid7(),
                    tenant_id=self.tenant_id,
                    key=key,
                    ticket_id=ticket_id,
                    agent_id=agent["id"] if agent else None,
                    skill=skill,
                    urgency=urgency,
                    summary=summary,
                )
                .on_conflict_do_nothing()
            )
            return await self._handoff(session, key)

    async def _agents(self, session: AsyncSession) -> list[Agent]:
        load = (
            select(func.count())
            .where(
                sandbox.Handoff.tenant_id == sandbox.Agent.tenant_id,
                sandbox.Handoff.agent_id == sandbox.Agent.id,
                sandbox.Handoff.status == "open",
            )
            .scalar_subquery()
        )
        query = select(sandbox.Agent, load).where(sandbox.Agent.tenant_id == self.tenant_id)
        return [_agent(row, open_count) for row, open_count in await session.execute(query)]

    async def _handoff(self, session: AsyncSession, key: str) -> Handoff:
        query = select(sandbox.Handoff).where(
            sandbox.Handoff.tenant_id == self.tenant_id, sandbox.Handoff.key == key
        )
        row = (await session.scalars(query)).one()
        agent = await session.get(sandbox.Agent, (self.tenant_id, row.agent_id or ""))
        waiting = (
            select(func.count())
            .where(
                sandbox.Handoff.tenant_id == self.tenant_id,
                sandbox.Handoff.agent_id.is_(None),
                sandbox.Handoff.status == "open",
                sandbox.Handoff.id <= row.id,
            )
        )  # fmt: skip
        return {
            "id": str(row.id),
            "skill": row.skill,
            "urgency": row.urgency,  # type: ignore[typeddict-item]  # written from an Urgency
            "agent": {"id": agent.id, "name": agent.name} if agent else None,
            "queue_position": None if agent else await session.scalar(waiting),
        }


def _agent(row: sandbox.Agent, load: int) -> Agent:
    return {
        "id": row.id,
        "name": row.name,
        "skills": row.skills,
        "timezone": row.timezone,
        "opens_hour": row.opens_hour,
        "closes_hour": row.closes_hour,
        "weekdays": row.weekdays,
        "away": row.away,
        "load": load,
    }
