"""Queries on runs. Every change of a status is one conditional UPDATE; no row means it lost."""

from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Uuid,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.hot import Executor, Hot, HotRows
from app.db.pauses import paused
from app.db.tables import Run
from app.db.turns import crowded, waits
from app.lifecycle import FINAL, RunStatus, sources

# Hot statements are built once: to build one costs more than to run it.
ONE_RUN = select(Run).where(Run.tenant_id == bindparam("tenant"), Run.id == bindparam("run"))
LOCKED_RUN = ONE_RUN.with_for_update()
LOOK = HotRows(Run, ONE_RUN)
BY_KEY = HotRows(
    Run,
    select(Run).where(
        Run.tenant_id == bindparam("tenant"), Run.idempotency_key == bindparam("key")
    ),
)


async def look(executor: Executor, tenant_id: str, run_id: UUID) -> Run | None:
    """The tenant's run of that id, only to be read: it belongs to no session."""
    return await LOOK.one_or_none(executor, tenant=tenant_id, run=run_id)


async def get_run(
    session: AsyncSession, tenant_id: str, run_id: UUID, *, lock: bool = False
) -> Run | None:
    """The tenant's run of that id. Whoever changes a run and its approvals locks the run first."""
    asked = {"tenant": tenant_id, "run": run_id}
    return (await session.scalars(LOCKED_RUN if lock else ONE_RUN, asked)).one_or_none()


async def find_by_idempotency_key(executor: Executor, tenant_id: str, key: str) -> Run | None:
    """The run that the tenant started under this Idempotency-Key; it belongs to no session."""
    return await BY_KEY.one_or_none(executor, tenant=tenant_id, key=key)


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


def _moved(run_id: UUID | BindParameter[UUID], target: RunStatus) -> ColumnElement[bool]:
    """The run, if the transition table lets it reach `target` now."""
    return and_(Run.id == run_id, or_(*[Run.status == source for source in sources(target)]))


async def claim(
    executor: Executor,
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
    owner = {"worker": worker_id, "trace": trace_id, "version": graph_version}
    return await _claim(per_customer).one_or_none(executor, run=run_id, **owner)


@cache
def _claim(per_customer: int | None) -> HotRows[Run]:
    free = [~waits(), ~paused()]
    if per_customer is not None:
        free.append(~crowded(per_customer))
    moved = _moved(bindparam("run", type_=Uuid()), RunStatus.RUNNING)
    return HotRows(
        Run,
        update(Run)
        .where(moved, Run.not_before <= func.now(), *free)
        .values(
            status=RunStatus.RUNNING,
            attempt=Run.attempt + 1,
            worker_id=bindparam("worker"),
            trace_id=bindparam("trace"),
            started_at=func.coalesce(Run.started_at, func.now()),
            # What the run began with, also when another graph goes on with it.
            graph_version=func.coalesce(Run.graph_version, bindparam("version")),
        )
        .returning(Run),
    )


async def settle(
    executor: Executor,
    run_id: UUID,
    attempt: int,
    status: RunStatus,
    tokens: int = 0,
    cost_usd: Decimal | None = Decimal(0),
    **values: Any,
) -> bool:
    """End this attempt's hold on the run; False when another attempt holds it meanwhile.

    `tokens` and `cost_usd` are those of the attempt; an unknown cost makes the sum unknown.
    """
    known = {"run": run_id, "held": attempt, "to": status, "used": tokens, "cost": cost_usd}
    query = _settle(tuple(values), status in FINAL)
    new = {f"new_{name}": value for name, value in values.items()}
    return bool(await query.rows(executor, **known, **new))


@cache
def _settle(names: tuple[str, ...], final: bool) -> Hot:
    columns: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    if final:
        columns["finished_at"] = func.now()
    return Hot(
        update(Run)
        .where(
            Run.id == bindparam("run"),
            Run.attempt == bindparam("held"),
            Run.status == RunStatus.RUNNING,
        )
        .values(
            status=bindparam("to"),
            worker_id=None,
            tokens=Run.tokens + bindparam("used"),
            cost_usd=Run.cost_usd + bindparam("cost"),
            **columns,
        )
        .returning(Run.id)
    )


REOPEN = Hot(
    update(Run)
    .where(Run.id == bindparam("run"), Run.status == RunStatus.INTERRUPTED)
    .values(status=RunStatus.PENDING, not_before=func.now(), queued_at=func.now())
    .returning(Run.id)
)


async def reopen(executor: Executor, run_id: UUID) -> bool:
    """interrupted -> pending: the answer is there, the run may go on."""
    return bool(await REOPEN.rows(executor, run=run_id))


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
    return (await session.scalars(_next_in_thread(), {"thread": thread_id})).one_or_none()


@cache
def _next_in_thread() -> Select[Run]:
    return (
        select(Run)
        .where(Run.thread_id == bindparam("thread"), Run.status == RunStatus.PENDING, ~waits())
        .order_by(Run.seq)
        .limit(1)
    )


MOVING = Hot(
    select(Run.id).where(
        Run.id == func.any(bindparam("runs", type_=ARRAY(Uuid))),
        or_(Run.status == RunStatus.PENDING, Run.status == RunStatus.RUNNING),
    )
)


async def resting(executor: Executor, run_ids: list[UUID]) -> list[UUID]:
    """Those of the runs that finished or paused, or do not exist."""
    going = {run_id for (run_id,) in await MOVING.rows(executor, runs=run_ids)}
    return [run_id for run_id in run_ids if run_id not in going]


QUEUED = Hot(update(Run).where(Run.id == bindparam("run")).values(queued_at=func.now()))


async def mark_queued(executor: Executor, run_id: UUID) -> None:
    """Note that a job for the run was put on the queue."""
    await QUEUED.rows(executor, run=run_id)


async def replayed(session: AsyncSession, run: Run) -> tuple[UUID, ...]:
    """The runs that this one replays: the one it was made from, that one's, and so on."""
    chain: list[UUID] = []
    following = run.replay_of
    while following is not None:
        chain.append(following)
        query = select(Run.replay_of).where(Run.tenant_id == run.tenant_id, Run.id == following)
        following = (await session.scalars(query)).one_or_none()
    return tuple(chain)


STARTERS = Hot(
    select(Run.started_by).where(
        Run.tenant_id == bindparam("tenant"),
        or_(
            Run.id == bindparam("run", type_=Uuid()),
            Run.merged_into == bindparam("run", type_=Uuid()),
        ),
    )
)


async def starters(executor: Executor, run: Run) -> set[str]:
    """The keys that started the run, or one that was merged into it."""
    return {key for (key,) in await STARTERS.rows(executor, tenant=run.tenant_id, run=run.id)}
