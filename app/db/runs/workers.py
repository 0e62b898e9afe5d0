"""Queries on workers and their runs: a dead worker's lock is free, a frozen one's lease expires."""

from datetime import timedelta
from functools import cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.compiled import CompiledStatement, Executor
from app.db.runs.model_calls import count_spend
from app.db.runs.queue import announced
from app.db.runs.steps import STOPPED
from app.db.tables.runs import Run, Step, Worker
from app.lifecycle import RunStatus

# Renewed every RENEW_SECONDS: a worker counts as dead within 30 s of its last renewal, and a live
# one may fail to renew four times in a row.
LEASE = timedelta(seconds=25)
RENEW_SECONDS = 5
FORGOTTEN_AFTER = timedelta(days=1)
OLDEST_HEARTBEAT = func.now() - LEASE


class Held(NamedTuple):
    """A running run as its worker sees it; `unwanted` when a caller cancelled it."""

    id: UUID
    attempt: int
    unwanted: bool


async def renew(session: AsyncSession, worker_id: int) -> None:
    """Renew the worker's lease, by the database's clock."""
    row = insert(Worker).values(id=worker_id)
    await session.execute(
        row.on_conflict_do_update(index_elements=["id"], set_={"beat_at": func.now()})
    )


@cache
def _select_held() -> CompiledStatement:
    held = (Run.worker_id == bindparam("worker"), Run.status == RunStatus.RUNNING)
    unwanted = Run.cancel_requested_at.is_not(None)
    return CompiledStatement(select(Run.id, Run.attempt, unwanted).where(*held))


@cache
def _select_holders() -> CompiledStatement:
    """The other workers with runs: whether the lock of each is free, and its lease over."""
    holders = (
        select(Run.worker_id.label("id"))
        .where(Run.status == RunStatus.RUNNING, Run.worker_id != bindparam("worker"))
        .distinct()
        .cte("holders")
        .prefix_with("MATERIALIZED")
    )
    free = func.pg_try_advisory_xact_lock(holders.c.id)
    return CompiledStatement(
        select(holders.c.id, free, Worker.beat_at < OLDEST_HEARTBEAT).outerjoin(
            Worker, Worker.id == holders.c.id
        )
    )


async def held_by(executor: Executor, worker_id: int) -> list[Held]:
    """The runs that the worker holds by their rows; locks nothing."""
    return [Held(*row) for row in await _select_held().rows(executor, worker=worker_id)]


async def missing_beside(executor: Executor, worker_id: int) -> list[int]:
    """The other workers that hold runs and seem to be dead; one statement for all of them.

    Needs a connection without a transaction, which releases their locks at once; `is_missing` then
    checks each again.
    """
    found = await _select_holders().rows(executor, worker=worker_id)
    return [holder for holder, free, silent in found if free or silent]


async def is_missing(session: AsyncSession, worker_id: int) -> bool:
    """Whether the worker's lock is free or its lease over, until the transaction ends.

    For a worker that never had a lease only the lock counts.
    """
    if await session.scalar(select(func.pg_try_advisory_xact_lock(worker_id))):
        return True
    silent = select(Worker.id).where(Worker.id == worker_id, Worker.beat_at < OLDEST_HEARTBEAT)
    return await session.scalar(silent.with_for_update(skip_locked=True)) is not None


async def lock_held(
    session: AsyncSession, worker_id: int, limit: int, only: list[UUID] | None = None
) -> list[Run]:
    """The worker's oldest running runs, locked; rows locked by others are left."""
    query = select(Run).where(Run.worker_id == worker_id, Run.status == RunStatus.RUNNING)
    if only is not None:
        query = query.where(Run.id.in_(only))
    query = query.order_by(Run.seq).limit(limit).with_for_update(skip_locked=True)
    return list(await session.scalars(query))


async def hand_back(session: AsyncSession, lost: list[Run]) -> None:
    """running -> pending with one more loss, for runs that `lock_held` gave, on the queue again.

    What `settle` does for one of them, in three statements for all.
    """
    ids = [run.id for run in lost]
    pending = {"status": RunStatus.PENDING, "worker_id": None}
    queued = {"queued_at": func.now(), "queued_for": func.now()}
    await session.execute(
        update(Run).where(Run.id.in_(ids), Run.status == RunStatus.RUNNING)
        .values(losses=Run.losses + 1, **pending, **queued)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    await session.execute(select(announced(func.now())))
    await session.execute(
        update(Step).where(Step.run_id.in_(ids), Step.status == "running")
        .values(status="error", error=STOPPED)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    await count_spend(session, ids)


async def prune_workers(session: AsyncSession) -> None:
    """Delete the leases of workers that ended long ago."""
    await session.execute(delete(Worker).where(Worker.beat_at < func.now() - FORGOTTEN_AFTER))
