"""Queries on hand-offs and the people who take them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    column,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.core import advisory_locks
from app.db.core.base import sql_table
from app.db.tables import sandbox
from app.db.tables.runs import Message
from app.db.tables.sandbox import Handoff
from tools.helpdesk import MAX_QUESTIONS
from tools.models import Agent, FoundArticle, Suggestion, Urgency
from tools.staffing import is_available, next_opening, pick_agent

RANKS = {"critical": 0, "high": 1, "normal": 2, "low": 3}
URGENCY_RANK = case(RANKS, value=Handoff.urgency, else_=2)
ASSIGN_BATCH = 100
# The hand-off's own message is the newest of the run that opened it, which its key names. Without
# one, as after an erasure, the time at which it was opened counts.
NEWER_MESSAGES = (
    text("""
    SELECT newer.*, handoffs.id AS handoff_id FROM handoffs
    LEFT JOIN LATERAL (
        SELECT max(said.id) AS id FROM messages AS said JOIN runs ON runs.id = said.run_id
        WHERE said.tenant_id = handoffs.tenant_id AND said.ticket_id = handoffs.ticket_id
            AND said.author = 'customer'
            AND split_part(handoffs.key, ':', 2) = CAST(coalesce(runs.merged_into, runs.id) AS text)
    ) AS own ON true
    CROSS JOIN LATERAL (
        SELECT messages.* FROM messages
        WHERE messages.tenant_id = handoffs.tenant_id AND messages.ticket_id = handoffs.ticket_id
            AND messages.author = 'customer'
            AND coalesce(messages.id > own.id, messages.created_at > handoffs.created_at)
            AND (handoffs.closed_at IS NULL OR messages.created_at <= handoffs.closed_at)
        ORDER BY messages.id DESC LIMIT :most
    ) AS newer
    WHERE handoffs.id = ANY(:handoffs) ORDER BY newer.id DESC""")
    .bindparams(bindparam("handoffs", type_=ARRAY(Uuid)))
    .columns(*sql_table(Message).columns, column("handoff_id", Uuid))
)
QUEUED = (Handoff.status == "open", Handoff.agent_id.is_(None))


async def lock_desk(session: AsyncSession, tenant_id: str) -> None:
    """Serialise assignments of the tenant: two at once would pick the same least loaded agent."""
    await advisory_locks.hold(session, advisory_locks.exclusive("handoffs", tenant_id))


async def open_handoff(
    session: AsyncSession, tenant_id: str, ticket_id: str, skill: str, urgency: Urgency,
    summary: str, key: str, *, suggestion: Suggestion | None = None,
    articles: Sequence[FoundArticle] = (), questions: Sequence[str] = (),
) -> Handoff:  # fmt: skip
    """Open a hand-off once per key, for an agent who is available now; the desk must be locked.

    An open one of the same ticket, or of the same part of it, is that one still: its person goes
    on, gets these questions as well, and it holds the ticket afresh.
    """
    if (same := await _same_handoff(session, tenant_id, ticket_id, key)) is not None:
        same.questions = list(dict.fromkeys([*same.questions, *questions]))[-MAX_QUESTIONS:]
        return same
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
        questions=list(questions),
    )
    await session.execute(row.on_conflict_do_nothing())
    query = select(Handoff).where(Handoff.tenant_id == tenant_id, Handoff.key == key)
    return (await session.scalars(query)).one()


async def _same_handoff(
    session: AsyncSession, tenant_id: str, ticket_id: str, key: str
) -> Handoff | None:
    """The hand-off of that key, or an open one of the same part of the ticket."""
    of_tenant = select(Handoff).where(Handoff.tenant_id == tenant_id)
    if (row := (await session.scalars(of_tenant.where(Handoff.key == key))).one_or_none()) is None:
        part = [*key.split(":", 3), "", ""][2] or None
        same = (Handoff.ticket_id == ticket_id, Handoff.part.is_not_distinct_from(part))
        query = of_tenant.where(*same, Handoff.status == "open").order_by(Handoff.id).limit(1)
        if (row := (await session.scalars(query)).one_or_none()) is not None:
            row.held_since = func.now()
            await session.flush()
            await session.refresh(row)
    return row


async def close_whole(session: AsyncSession, tenant_id: str, ticket_id: str) -> bool:
    """Close the open hand-offs of the whole ticket; those of a part stay with their people.

    False when there was none.
    """
    query = (
        update(Handoff)
        .where(
            Handoff.tenant_id == tenant_id,
            Handoff.ticket_id == ticket_id,
            Handoff.status == "open",
            Handoff.part.is_(None),
        )
        .values(status="closed", closed_at=func.now())
        .returning(Handoff.id)
        .execution_options(synchronize_session=False)
    )
    return bool((await session.scalars(query)).all())


async def close_all(session: AsyncSession, tenant_id: str, ticket_id: str) -> int:
    """Close the open hand-offs of the ticket and of its parts; how many there were."""
    query = (
        update(Handoff)
        .where(
            Handoff.tenant_id == tenant_id,
            Handoff.ticket_id == ticket_id,
            Handoff.status == "open",
        )
        .values(status="closed", closed_at=func.now())
        .returning(Handoff.id)
        .execution_options(synchronize_session=False)
    )
    return len((await session.scalars(query)).all())


async def newer_messages(
    session: AsyncSession, handoff_ids: list[UUID], limit: int
) -> dict[UUID, list[Message]]:
    """What customers wrote on these hand-offs' tickets after them, by hand-off, oldest first.

    Up to the time at which each was closed, and of each the newest `limit`.
    """
    found: dict[UUID, list[Message]] = {}
    query = select(Message, column("handoff_id")).from_statement(NEWER_MESSAGES)
    for message, handoff_id in await session.execute(
        query, {"handoffs": handoff_ids, "most": limit}
    ):
        found.setdefault(handoff_id, []).append(message)
    return {handoff_id: messages[::-1] for handoff_id, messages in found.items()}


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


async def names_of_agents(session: AsyncSession, tenant_id: str) -> dict[str, str]:
    """What the tenant's people are called, by their ids."""
    agents = await session.scalars(agents_of_tenant(tenant_id))
    return {agent.id: agent.name for agent in agents}


async def put_agents(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """Store people who take hand-offs; the same id replaces the row, and keeps what is open."""
    query = insert(sandbox.Agent).values(rows)
    keys = ("tenant_id", "id")
    changed = {column.name: column for column in query.excluded if column.name not in keys}
    await session.execute(query.on_conflict_do_update(index_elements=keys, set_=changed))


async def delete_agent(session: AsyncSession, tenant_id: str, agent_id: str) -> bool:
    """Remove a person, whose open hand-offs wait in the queue again; False when there is none."""
    await lock_desk(session, tenant_id)
    await session.execute(
        update(Handoff)
        .where(
            Handoff.tenant_id == tenant_id,
            Handoff.agent_id == agent_id,
            Handoff.status == "open",
        )
        .values(agent_id=None)
        .execution_options(synchronize_session=False)
    )
    query = (
        delete(sandbox.Agent)
        .where(sandbox.Agent.tenant_id == tenant_id, sandbox.Agent.id == agent_id)
        .returning(sandbox.Agent.id)
    )
    return (await session.scalars(query)).one_or_none() is not None


def agents_of_tenant(tenant_id: str) -> Select[sandbox.Agent]:
    """Select the tenant's people."""
    return select(sandbox.Agent).where(sandbox.Agent.tenant_id == tenant_id)


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


async def get_handoff(session: AsyncSession, tenant_id: str, handoff_id: UUID) -> Handoff | None:
    """The tenant's hand-off of that id."""
    query = handoffs_of_tenant(tenant_id).where(Handoff.id == handoff_id)
    return (await session.scalars(query)).one_or_none()


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
    return await get_handoff(session, tenant_id, handoff_id)


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
