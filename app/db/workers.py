"""Leases of workers: a frozen or cut-off host keeps its lock, but its lease runs out."""

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables import Worker

# Renewed every RENEW_SECONDS, so a worker is missed within 30 s of its last sign of life, and
# four renewals in a row may fail before a live one is.
LEASE = timedelta(seconds=25)
RENEW_SECONDS = 5
FORGOTTEN_AFTER = timedelta(days=1)


async def renew(session: AsyncSession, worker_id: int) -> None:
    """Say that the worker is alive, by the database's clock."""
    row = insert(Worker).values(id=worker_id)
    await session.execute(
        row.on_conflict_do_update(index_elements=["id"], set_={"beat_at": func.now()})
    )


async def lease_is_over(session: AsyncSession, worker_id: int) -> bool:
    """Whether the worker said nothing for a lease's time, which is so until the transaction ends.

    One that never had a lease is judged by its lock alone.
    """
    query = (
        select(Worker.id)
        .where(Worker.id == worker_id, Worker.beat_at < func.now() - LEASE)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def forget_workers(session: AsyncSession) -> None:
    """Drop the leases of workers that ended long ago."""
    await session.execute(delete(Worker).where(Worker.beat_at < func.now() - FORGOTTEN_AFTER))
