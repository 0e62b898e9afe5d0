"""Queries on runs. Every change of a status is one conditional UPDATE; no row means it lost."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.pauses import paused
from app.db.tables import Run
from app.db.turns import crowded, waits
from app.lifecycle import FINAL, RunStatus, sources


async def get_run(
    session: AsyncSession, tenant_id: str, run_id: UUID, *, lock: bool = False
) -> Run | None:
    """The tenant's run of that id. Whoever changes a run and its approvals locks the run first."""
    query = select(Run).where(Run.tenant_id == tenant_id, Run.id == run_id)
    query = query.with_for_update() if lock else query
    return (await session.scalars(query)).one_or_none()


async def find_by_idempotency_key(session: AsyncSession, tenant_id: str, key: str) -> Run | None:
    """The run that the tenant started under this Idempotency-Key."""
    query = select(Run).where(Run.tenant_id == tenant_id, Run.idempotency_key == key)
    return (await session.scalars(query)).one_or_none()


def runs_of_tenant(
    tenant_id: str,
    status: RunStatus | None = None,
    ticket_id: str | None = None,
    customer_id: str | None = None,
) -> Select[Run]:
    """Select the tenant's runs that match every filter given."""
    query = select(Run).where(Run.tenant_id == tenant_id)
    if status is not None:
        query = query.where(Run.status == status)
    if ticket_id is not None:
        query = query.where(Run.ticket_id == ticket_id)
    if customer_id is not None:
        query = query.where(Run.customer_id == customer_id)
    return query


def _moved(run_id: UUID, target: RunStatus) -> ColumnElement[bool]:
    """The run, if the transition table lets it reach `target` now."""
    return and_(Run.id == run_id, Run.status.in_(sources(target)))


async def claim(
    session: AsyncSession,
    run_id: UUID,
    worker_id: int,
    trace_id: UUID | None = None,
    per_customer: int | None = None,
    graph_version: str | None = None,
) -> Run | None:
    """Take a due pending run whose thread is free and whose customer is not `crowded`, or None.

    A paused tenant's runs are not taken.

    An older unfinished run of the same thread comes first, so a thread's runs keep their order.
    Of two workers at the same run, one gets the row. The new `attempt` fences off the last owner.
    """
    free = [~waits(), ~paused()]
    if per_customer is not None:
        free.append(~crowded(per_customer))
    query = (
        update(Run)
        .where(_moved(run_id, RunStatus.RUNNING), Run.not_before <= func.now(), *free)
        .values(
            status=RunStatus.RUNNING,
            attempt=Run.attempt + 1,
            worker_id=worker_id,
            trace_id=trace_id,
            started_at=func.coalesce(Run.started_at, func.now()),
            # What the run began with, also when another graph goes on with it.
            graph_version=func.coalesce(Run.graph_version, graph_version),
        )
        .returning(Run)
        .execution_options(synchronize_session=False)
    )
    return (await session.scalars(query)).one_or_none()


async def settle(
    session: AsyncSession, run_id: UUID, attempt: int, status: RunStatus, **values: Any
) -> bool:
    """End this attempt's hold on the run; False when another attempt holds it meanwhile."""
    if status in FINAL:
        values["finished_at"] = func.now()
    query = (
        update(Run)
        .where(Run.id == run_id, Run.attempt == attempt, Run.status == RunStatus.RUNNING)
        .values(status=status, worker_id=None, **values)
        .returning(Run.id)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def reopen(session: AsyncSession, run_id: UUID) -> bool:
    """interrupted -> pending: the answer is there, the run may go on."""
    query = (
        update(Run)
        .where(_moved(run_id, RunStatus.PENDING), Run.status == RunStatus.INTERRUPTED)
        .values(status=RunStatus.PENDING, not_before=func.now(), queued_at=func.now())
        .returning(Run.id)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def cancel_waiting(session: AsyncSession, run_id: UUID) -> bool:
    """pending or interrupted -> cancelled; a running one only stops through its worker."""
    query = (
        update(Run)
        .where(_moved(run_id, RunStatus.CANCELLED), Run.status != RunStatus.RUNNING)
        .values(status=RunStatus.CANCELLED, finished_at=func.now())
        .returning(Run.id)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def request_cancel(session: AsyncSession, run_id: UUID) -> bool:
    """Mark a running run: no effect begins any more, and its worker lets go of it."""
    query = (
        update(Run)
        .where(Run.id == run_id, Run.status == RunStatus.RUNNING)
        .values(cancel_requested_at=func.coalesce(Run.cancel_requested_at, func.now()))
        .returning(Run.id)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def next_in_thread(session: AsyncSession, thread_id: UUID) -> Run | None:
    """The thread's next pending run that need not wait for another one."""
    query = (
        select(Run)
        .where(Run.thread_id == thread_id, Run.status == RunStatus.PENDING, ~waits())
        .order_by(Run.seq)
        .limit(1)
    )
    return (await session.scalars(query)).one_or_none()


async def cancel_requests(session: AsyncSession, worker_id: int) -> list[UUID]:
    """The runs this worker holds and should let go of."""
    query = select(Run.id).where(
        Run.worker_id == worker_id,
        Run.status == RunStatus.RUNNING,
        Run.cancel_requested_at.is_not(None),
    )
    return list(await session.scalars(query))


async def resting(session: AsyncSession, run_ids: list[UUID]) -> list[UUID]:
    """Those of the runs that finished or paused, or do not exist."""
    moving = select(Run.id).where(
        Run.id == func.any(cast(run_ids, ARRAY(Uuid))),
        Run.status.in_((RunStatus.PENDING, RunStatus.RUNNING)),
    )
    going = set(await session.scalars(moving))
    return [run_id for run_id in run_ids if run_id not in going]


async def attempts_held_by(session: AsyncSession, worker_id: int) -> dict[UUID, int]:
    """The runs that are this worker's, each with the attempt that it is."""
    query = select(Run.id, Run.attempt).where(
        Run.worker_id == worker_id, Run.status == RunStatus.RUNNING
    )
    return {row.id: row.attempt for row in await session.execute(query)}


async def other_workers(session: AsyncSession, worker_id: int) -> list[int]:
    """Every other worker that holds a run."""
    query = select(Run.worker_id).where(
        Run.status == RunStatus.RUNNING, Run.worker_id.is_not(None), Run.worker_id != worker_id
    )
    return [worker for worker in await session.scalars(query.distinct()) if worker is not None]


async def runs_held_by(session: AsyncSession, worker_id: int) -> list[Run]:
    """The running runs of a worker, locked until the end of the transaction."""
    query = select(Run).where(Run.worker_id == worker_id, Run.status == RunStatus.RUNNING)
    return list(await session.scalars(query.with_for_update()))


async def mark_queued(session: AsyncSession, run_id: UUID, at: datetime | None = None) -> None:
    """Note that a job for the run was put on the queue."""
    await session.execute(update(Run).where(Run.id == run_id).values(queued_at=at or func.now()))


async def replayed(session: AsyncSession, run: Run) -> tuple[UUID, ...]:
    """The runs that this one replays: the one it was made from, that one's, and so on."""
    chain: list[UUID] = []
    following = run.replay_of
    while following is not None:
        chain.append(following)
        query = select(Run.replay_of).where(Run.tenant_id == run.tenant_id, Run.id == following)
        following = (await session.scalars(query)).one_or_none()
    return tuple(chain)


async def starters(session: AsyncSession, run: Run) -> set[str]:
    """The keys that started the run, or one that was merged into it."""
    query = select(Run.started_by).where(
        Run.tenant_id == run.tenant_id, or_(Run.id == run.id, Run.merged_into == run.id)
    )
    return set(await session.scalars(query))
