"""Queries on runs; what changes a status is in transitions.py."""

from functools import cache
from uuid import UUID

from sqlalchemy import (
    Select,
    Uuid,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.compiled import CompiledQuery, CompiledStatement, Executor
from app.db.runs.scheduling import blocked_by_thread
from app.db.tables.runs import Run
from app.lifecycle import RunStatus

# Compiled statements are built once: to build one costs more than to run it.
ONE_RUN = select(Run).where(Run.tenant_id == bindparam("tenant"), Run.id == bindparam("run"))
LOCKED_RUN = ONE_RUN.with_for_update()
LOOK = CompiledQuery(Run, ONE_RUN)
BY_KEY = CompiledQuery(
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


async def next_in_thread(session: AsyncSession, thread_id: UUID) -> Run | None:
    """The thread's next pending run that need not wait for another one."""
    return (await session.scalars(_next_in_thread(), {"thread": thread_id})).one_or_none()


@cache
def _next_in_thread() -> Select[Run]:
    return (
        select(Run)
        .where(
            Run.thread_id == bindparam("thread"),
            Run.status == RunStatus.PENDING,
            ~blocked_by_thread(),
        )
        .order_by(Run.seq)
        .limit(1)
    )


MOVING = CompiledStatement(
    select(Run.id).where(
        Run.id == func.any(bindparam("runs", type_=ARRAY(Uuid))),
        or_(Run.status == RunStatus.PENDING, Run.status == RunStatus.RUNNING),
    )
)


async def resting(executor: Executor, run_ids: list[UUID]) -> list[UUID]:
    """Those of the runs that finished or paused, or do not exist."""
    going = {run_id for (run_id,) in await MOVING.rows(executor, runs=run_ids)}
    return [run_id for run_id in run_ids if run_id not in going]


async def replayed(session: AsyncSession, run: Run) -> tuple[UUID, ...]:
    """The runs that this one replays: the one it was made from, that one's, and so on."""
    chain: list[UUID] = []
    following = run.replay_of
    while following is not None:
        chain.append(following)
        query = select(Run.replay_of).where(Run.tenant_id == run.tenant_id, Run.id == following)
        following = (await session.scalars(query)).one_or_none()
    return tuple(chain)


STARTERS = CompiledStatement(
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
