"""Tables that are queues: rows with `id`, `status`, `attempts` and `next_at` (docs/adr/0013)."""

from datetime import timedelta
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

T = TypeVar("T")


async def claim_due(
    session: AsyncSession,
    table: type[T],
    *waiting: ColumnElement[bool],
    lease: timedelta,
    limit: int,
    **counted: Any,
) -> list[T]:
    """Take up to `limit` rows that are `waiting` and due, the longest due first.

    No two workers get the same one. The claim counts an attempt and moves `next_at` on by the
    lease, so rows of a worker that dies are due again by themselves. `counted` is set as well.
    """
    rows = cast("Any", table)
    due = (
        select(rows.id)
        .where(rows.next_at <= func.now(), *waiting)
        .order_by(rows.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    query = (
        update(rows)
        .where(rows.id.in_(due.scalar_subquery()))
        .values(attempts=rows.attempts + 1, next_at=func.now() + lease, **counted)
        .returning(rows)
    )
    return list(await session.scalars(query))


async def change_claimed(session: AsyncSession, row: Any, waiting: str, **values: Any) -> bool:
    """Write down how a claimed attempt ended, while the row's status is `waiting`; False when a
    later attempt or another change came first."""
    rows = type(row)
    query = (
        update(rows)
        .where(rows.id == row.id, rows.attempts == row.attempts, rows.status == waiting)
        .values(**values)
        .returning(rows.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.scalars(query)).one_or_none() is not None
