"""Queries on hand-offs and the people who take them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.core import advisory_locks
from app.db.tables import sandbox
from app.db.tables.sandbox import Handoff
from tools.helpdesk import is_available, next_opening, pick_agent
from tools.models import Agent, FoundArticle, Suggestion, Urgency

RANKS = {"critical": 0, "high": 1, "normal": 2, "low": 3}
URGENCY_RANK = case(RANKS, value=Handoff.urgency, else_=2)
ASSIGN_BATCH = 100
QUEUED = (Handoff.status == "open", Handoff.agent_id.is_(None))


async def lock_desk(session: AsyncSession, tenant_id: str) -> None:
    """Serialise assignments of the tenant: two at once would pick the same least loaded agent."""
    await advisory_locks.hold(session, advisory_locks.exclusive("handoffs", tenant_id))


async def open_handoff(
    session: AsyncSession, tenant_id: str, ticket_id: str, skill: str, urgency: Urgency,
    summary: str, key: str, *, suggestion: Suggestion | None = None,
    articles: Sequence[FoundArticle] = (),
) -> Handoff:  # fmt: skip
    """Open a hand-off once per key, for an agent who is available now; the desk must be locked."""
    known = await agent_of_ticket(session, tenant_id, ticket_id)
    agents = await agents_of(session, tenant_id)
    agent = pick_agent(agents, skill, urgency, datetime.now(UTC), known)
    row = insert(Handoff).values(
        id=uuid7(),
        tenant_id=tenant_id,
        key=key,
        ticket_id=ticket_id,
        agent_id=agent["id"] if agent else None,
        skill=skill,
        urgency=urgency,
        summary=summary,
        suggestion=suggestion,
        articles=list(articles),
    )
    await session.execute(row.on_conflict_do_nothing())
    query = select(Handoff).where(Handoff.tenant_id == tenant_id, Handoff.key == key)
    return (await session.scalars(query)).one()


async def agent_of_ticket(session: AsyncSession, tenant_id: str, ticket_id: str) -> str | None:
    """The agent who had the ticket last, so that a customer meets the same person again."""
    query = (
        select(Handoff.agent_id)
        .where(
            Handoff.tenant_id == tenant_id,
            Handoff.ticket_id == ticket_id,
            Handoff.agent_id.is_not(None),
        )
        .order_by(Handoff.id.desc())
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def agents_of(session: AsyncSession, tenant_id: str) -> list[Agent]:
    """The tenant's people with the number of hand-offs they have open."""
    load = (
        select(func.count())
        .where(
            Handoff.tenant_id == sandbox.Agent.tenant_id,
            Handoff.agent_id == sandbox.Agent.id,
            Handoff.status == "open",
        )
        .scalar_subquery()
    )
    query = select(sandbox.Agent, load).where(sandbox.Agent.tenant_id == tenant_id)
    return [_agent(row, open_count) for row, open_count in await session.execute(query)]


async def put_agents(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Store people who take hand-offs; the same id replaces the row, and keeps what is open."""
    query = insert(sandbox.Agent).values(rows)
    keys = ("tenant_id", "id")
    changed = {column.name: column for column in query.excluded if column.name not in keys}
    await session.execute(query.on_conflict_do_update(index_elements=keys, set_=changed))


async def queue_place(session: AsyncSession, waiting: Handoff) -> tuple[int, datetime | None]:
    """The hand-off's position among those that wait for its skill, and when an agent starts."""
    rank = select(URGENCY_RANK).where(Handoff.id == waiting.id).scalar_subquery()
    ahead = queue_of(waiting.tenant_id, waiting.skill).where(
        or_(rank > URGENCY_RANK, and_(rank == URGENCY_RANK, Handoff.id <= waiting.id))
    )
    place = await session.scalar(select(func.count()).select_from(ahead.subquery()))
    agents = await agents_of(session, waiting.tenant_id)
    return place or 1, next_opening(agents, waiting.skill, datetime.now(UTC))


def queue_of(tenant_id: str, skill: str | None = None) -> Select[Handoff]:
    """Select unassigned hand-offs: the most urgent first, then the oldest."""
    query = select(Handoff).where(Handoff.tenant_id == tenant_id, *QUEUED)
    query = query if skill is None else query.where(Handoff.skill == skill)
    return query.order_by(URGENCY_RANK, Handoff.id)


def handoffs_of_tenant(tenant_id: str, status: str | None = None) -> Select[Handoff]:
    """Select the tenant's hand-offs, of one status or of any."""
    query = select(Handoff).where(Handoff.tenant_id == tenant_id)
    return query if status is None else query.where(Handoff.status == status)


async def tenants_that_wait(session: AsyncSession) -> list[str]:
    """The tenants with unassigned hand-offs."""
    return list(await session.scalars(select(Handoff.tenant_id).where(*QUEUED).distinct()))


async def assign_waiting(session: AsyncSession, tenant_id: str) -> int:
    """Assign waiting hand-offs to agents who are available; returns how many were assigned.

    Only skills with an available agent are read, so a skill without one delays no other.
    """
    await lock_desk(session, tenant_id)
    agents, now = await agents_of(session, tenant_id), datetime.now(UTC)
    skills = {skill for agent in agents if is_available(agent, now) for skill in agent["skills"]}
    waiting: list[Handoff] = []
    for skill in skills:
        waiting += await session.scalars(queue_of(tenant_id, skill).limit(ASSIGN_BATCH))
    assigned = _assign(waiting, agents, now)
    await session.flush()
    return assigned


def _assign(waiting: list[Handoff], agents: list[Agent], now: datetime) -> int:
    """The most urgent first, then the oldest; the first without an agent ends its skill's turn."""
    full: set[str] = set()
    assigned = 0
    for handoff in sorted(waiting, key=lambda h: (RANKS.get(h.urgency, 2), h.id)):
        urgency: Urgency = handoff.urgency  # type: ignore[assignment]  # written from an Urgency
        if handoff.skill in full:
            continue
        if (agent := pick_agent(agents, handoff.skill, urgency, now)) is None:
            full.add(handoff.skill)
            continue
        handoff.agent_id = agent["id"]
        agent["load"] += 1
        assigned += 1
    return assigned


async def close_handoff(session: AsyncSession, tenant_id: str, handoff_id: UUID) -> Handoff | None:
    """open -> closed; closing again changes nothing. None when the tenant has no such hand-off."""
    mine = (Handoff.tenant_id == tenant_id, Handoff.id == handoff_id)
    await session.execute(
        update(Handoff)
        .where(*mine, Handoff.status == "open")
        .values(status="closed", closed_at=func.now())
    )
    return (await session.scalars(select(Handoff).where(*mine))).one_or_none()


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
        "max_load": row.max_load,
    }
