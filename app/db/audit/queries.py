"""Queries on audit events and their seals."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, delete, exists, func, insert, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core import advisory_locks
from app.db.tables.audit import AuditEvent, AuditSeal, UnsealedEvent


class Wanted(NamedTuple):
    """Which events: of a kind, about a subject such as `run:<id>`, in `[since, until)`."""

    kind: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def events_of(tenant_id: str, wanted: Wanted) -> Select[AuditEvent]:
    """Select the tenant's events of that description."""
    query = select(AuditEvent).where(AuditEvent.tenant_id == tenant_id)
    if wanted.kind is not None:
        query = query.where(AuditEvent.kind == wanted.kind)
    if wanted.subject is not None:
        query = query.where(AuditEvent.subjects.contains([wanted.subject]))
    if wanted.since is not None:
        query = query.where(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEvent.at < wanted.until)
    return query


async def seals_of(
    session: AsyncSession, tenant_id: str, event_ids: Collection[UUID]
) -> dict[UUID, AuditSeal]:
    """The seals of these events by the event's id; one that waits for its seal has none."""
    query = select(AuditSeal).where(
        AuditSeal.tenant_id == tenant_id, AuditSeal.event_id.in_(event_ids)
    )
    return {seal.event_id: seal for seal in await session.scalars(query)}


async def lock_chain(session: AsyncSession, tenant_id: str) -> None:
    """Let no other sealer add to the tenant's chain until the transaction ends."""
    await advisory_locks.hold(session, advisory_locks.exclusive("audit", tenant_id))


async def last_seal(session: AsyncSession, tenant_id: str) -> AuditSeal | None:
    """The head of the tenant's chain; None before the first seal."""
    query = select(AuditSeal).where(AuditSeal.tenant_id == tenant_id)
    return (await session.scalars(query.order_by(AuditSeal.number.desc()).limit(1))).one_or_none()


async def unsealed(session: AsyncSession, tenant_id: str, limit: int) -> list[AuditEvent]:
    """Events that wait for their seal, oldest first."""
    query = (
        select(AuditEvent)
        .join(
            UnsealedEvent,
            and_(
                UnsealedEvent.tenant_id == AuditEvent.tenant_id,
                UnsealedEvent.event_id == AuditEvent.id,
            ),
        )
        .where(AuditEvent.tenant_id == tenant_id)
        .order_by(AuditEvent.at, AuditEvent.id)
        .limit(limit)
    )
    return list(await session.scalars(query))


async def count_unsealed(session: AsyncSession, tenant_id: str) -> int:
    """How many events of the tenant wait for their seal."""
    query = select(func.count()).where(UnsealedEvent.tenant_id == tenant_id)
    return int(await session.scalar(query.select_from(UnsealedEvent)) or 0)


async def add_seals(session: AsyncSession, tenant_id: str, seals: list[dict[str, object]]) -> None:
    """Append links to the chain; their events wait no more."""
    await session.execute(insert(AuditSeal), seals)
    sealed = [seal["event_id"] for seal in seals]
    await session.execute(
        delete(UnsealedEvent).where(
            UnsealedEvent.tenant_id == tenant_id, UnsealedEvent.event_id.in_(sealed)
        )
    )


async def tenants_to_seal(session: AsyncSession, limit: int) -> list[str]:
    """Tenants with events that wait for their seal, and EVERYONE if its chain has some."""
    query = select(UnsealedEvent.tenant_id).distinct().limit(limit)
    return list(await session.scalars(query))


async def tenants_with_events(session: AsyncSession) -> list[str]:
    """Every tenant that has a chain, or events that wait for one."""
    query = union(select(AuditEvent.tenant_id), select(AuditSeal.tenant_id))
    return sorted(await session.scalars(query))


async def links_after(
    session: AsyncSession, tenant_id: str, number: int, limit: int
) -> list[tuple[AuditSeal, AuditEvent | None]]:
    """Up to `limit` links behind that one in their order, each with its event if that is there."""
    query = (
        select(AuditSeal, AuditEvent)
        .outerjoin(
            AuditEvent,
            and_(AuditEvent.tenant_id == AuditSeal.tenant_id, AuditEvent.id == AuditSeal.event_id),
        )
        .where(AuditSeal.tenant_id == tenant_id, AuditSeal.number > number)
        .order_by(AuditSeal.number)
        .limit(limit)
    )
    return [(seal, event) for seal, event in await session.execute(query)]


async def seal_at(session: AsyncSession, tenant_id: str, number: int) -> AuditSeal | None:
    """The n-th link."""
    return await session.get(AuditSeal, (tenant_id, number))


async def find_seal(session: AsyncSession, tenant_id: str, seal: str) -> int | None:
    """The number of the link with that seal; None if the chain has none."""
    query = select(AuditSeal.number).where(AuditSeal.tenant_id == tenant_id, AuditSeal.seal == seal)
    return (await session.scalars(query)).first()


async def lost_events(session: AsyncSession, tenant_id: str, limit: int) -> list[UUID]:
    """Events without a seal that wait for none: their seal, or their place in line, was removed."""
    of_event = (AuditEvent.tenant_id, AuditEvent.id)
    sealed = exists().where(AuditSeal.tenant_id == of_event[0], AuditSeal.event_id == of_event[1])
    waits = exists().where(
        UnsealedEvent.tenant_id == of_event[0], UnsealedEvent.event_id == of_event[1]
    )
    query = select(AuditEvent.id).where(AuditEvent.tenant_id == tenant_id, ~sealed, ~waits)
    return list(await session.scalars(query.order_by(AuditEvent.id).limit(limit)))
