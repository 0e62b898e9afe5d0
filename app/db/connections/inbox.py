"""Queries on what hooks said: kept once, read by one worker."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.connections import Connection, InboxItem


async def keep(session: AsyncSession, **values: Any) -> int | None:
    """Store a fact once for its delivery and once for its message; None when it was there."""
    row = insert(InboxItem).values(**values).on_conflict_do_nothing().returning(InboxItem.id)
    return (await session.scalars(row)).one_or_none()


async def claim(
    session: AsyncSession, lease: timedelta, limit: int, busy: Collection[str] = ()
) -> list[InboxItem]:
    """Take up to `limit` facts that are due, the oldest first; no two workers get the same one.

    Those of `busy` connections stay, and of those that are paused. The claim moves `next_at` on by
    the lease, so those of a worker that dies are due again.
    """
    open_now = select(Connection.id).where(
        Connection.id == InboxItem.connection_id,
        Connection.paused_because.is_(None),
        Connection.removed_at.is_(None),
    )
    due = (
        select(InboxItem.id)
        .where(
            InboxItem.status == "new",
            InboxItem.next_at <= func.now(),
            InboxItem.connection_id.not_in(busy),
            open_now.exists(),
        )
        .order_by(InboxItem.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    query = (
        update(InboxItem)
        .where(InboxItem.id.in_(due.scalar_subquery()))
        .values(attempts=InboxItem.attempts + 1, next_at=func.now() + lease)
        .returning(InboxItem)
    )
    return list(await session.scalars(query))


async def conclude(session: AsyncSession, item: InboxItem, status: str, note: str | None) -> None:
    """End the claimed attempt, unless a later one came first."""
    await session.execute(
        update(InboxItem)
        .where(InboxItem.id == item.id, InboxItem.attempts == item.attempts)
        .values(status=status, note=note)
        .execution_options(synchronize_session=False)
    )


async def postpone(session: AsyncSession, item: InboxItem, wait: timedelta, note: str) -> None:
    """Let the claimed fact be read again after the wait."""
    await session.execute(
        update(InboxItem)
        .where(InboxItem.id == item.id, InboxItem.attempts == item.attempts)
        .values(next_at=func.now() + wait, note=note)
        .execution_options(synchronize_session=False)
    )
