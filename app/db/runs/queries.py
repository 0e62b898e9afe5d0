"""Queries on runs; what changes a status is in transitions.py."""

from collections.abc import Collection
from datetime import timedelta
from functools import cache
from uuid import UUID

from sqlalchemy import (
    Select,
    Uuid,
    bindparam,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.base import found_by_key
from app.db.core.compiled import CompiledQuery, CompiledStatement, Executor
from app.db.runs.filters import RunFilters, conditions
from app.db.runs.scheduling import blocked_by_thread
from app.db.tables.runs import Run
from app.db.tables.tenants import ApiKey, Holder
from app.lifecycle import RunStatus

EVERY_RUN = RunFilters()
SELECT_RUN = select(Run).where(
    found_by_key(Run.tenant_id) == bindparam("tenant"), Run.id == bindparam("run")
)
SELECT_RUN_FOR_UPDATE = SELECT_RUN.with_for_update()


@cache
def _read_run() -> CompiledQuery[Run]:
    return CompiledQuery(Run, SELECT_RUN)


@cache
def _select_by_idempotency_key() -> CompiledQuery[Run]:
    same_key = Run.idempotency_key == bindparam("key")
    return CompiledQuery(Run, select(Run).where(Run.tenant_id == bindparam("tenant"), same_key))


async def read_run(executor: Executor, tenant_id: str, run_id: UUID) -> Run | None:
    """The tenant's run of that id, only to be read: it belongs to no session."""
    return await _read_run().one_or_none(executor, tenant=tenant_id, run=run_id)


async def get_run(
    session: AsyncSession, tenant_id: str, run_id: UUID, *, lock: bool = False
) -> Run | None:
    """The tenant's run of that id. A transaction that changes its approvals locks the run first."""
    query = SELECT_RUN_FOR_UPDATE if lock else SELECT_RUN
    return (await session.scalars(query, {"tenant": tenant_id, "run": run_id})).one_or_none()


async def find_by_idempotency_key(executor: Executor, tenant_id: str, key: str) -> Run | None:
    """The run that the tenant started under this Idempotency-Key; it belongs to no session."""
    return await _select_by_idempotency_key().one_or_none(executor, tenant=tenant_id, key=key)


def runs_of_tenant(tenant_id: str, filters: RunFilters = EVERY_RUN) -> Select[Run]:
    """Select the tenant's runs that match every filter given."""
    return select(Run).where(Run.tenant_id == tenant_id, *conditions(filters))


async def live_of_ticket(session: AsyncSession, tenant_id: str, ticket_id: str) -> list[UUID]:
    """The ticket's runs that have not ended, newest first, so that none starts when one ends."""
    query = select(Run.id).where(
        Run.tenant_id == tenant_id, Run.ticket_id == ticket_id, Run.finished_at.is_(None)
    )
    return list(await session.scalars(query.order_by(Run.seq.desc())))


async def ignored_last_hour(session: AsyncSession) -> dict[str, int]:
    """How many runs ended as ignored within the last hour, over all tenants, by reason."""
    reason = func.jsonb_extract_path_text(Run.result, "ignored")
    query = (
        select(reason, func.count())
        .where(Run.outcome == "ignored", Run.finished_at > func.now() - timedelta(hours=1))
        .group_by(reason)
    )
    return {str(name): count for name, count in await session.execute(query) if name}


async def next_in_thread(session: AsyncSession, thread_id: UUID) -> Run | None:
    """The thread's next pending run that need not wait for another one."""
    return (await session.scalars(_select_next_in_thread(), {"thread": thread_id})).one_or_none()


@cache
def _select_next_in_thread() -> Select[Run]:
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


@cache
def _select_pending_or_running() -> CompiledStatement:
    return CompiledStatement(
        select(Run.id).where(
            Run.id == func.any(bindparam("runs", type_=ARRAY(Uuid))),
            or_(Run.status == RunStatus.PENDING, Run.status == RunStatus.RUNNING),
        )
    )


async def finished_or_paused(executor: Executor, run_ids: list[UUID]) -> list[UUID]:
    """The runs among these that finished or paused, or do not exist."""
    rows = await _select_pending_or_running().rows(executor, runs=run_ids)
    going = {run_id for (run_id,) in rows}
    return [run_id for run_id in run_ids if run_id not in going]


async def replayed(session: AsyncSession, run: Run) -> tuple[UUID, ...]:
    """The runs that this one replays: the one it was made from, that one's, and so on."""
    if run.replay_of is None:
        return ()
    first = (
        select(Run.replay_of.label("id"), literal(1).label("distance"))
        .where(Run.tenant_id == run.tenant_id, Run.id == run.id)
        .cte("chain", recursive=True)
    )
    before = select(Run.replay_of, first.c.distance + 1).where(
        Run.tenant_id == run.tenant_id, Run.id == first.c.id
    )
    chain = first.union_all(before)
    query = select(chain.c.id).where(chain.c.id.is_not(None)).order_by(chain.c.distance)
    return tuple(await session.scalars(query))


async def starters(session: AsyncSession, run: Run) -> set[Holder]:
    """Who holds the keys that started the run, one that it replays, or one merged into these."""
    return (await starters_of_runs(session, run.tenant_id, [run.id])).get(run.id, set())


async def starters_of_runs(
    session: AsyncSession, tenant_id: str, run_ids: Collection[UUID]
) -> dict[UUID, set[Holder]]:
    """The starters of several runs, by run, with one statement."""
    known = select(Run.id.label("root"), Run.id, Run.replay_of, Run.started_by)
    roots = known.where(Run.tenant_id == tenant_id, Run.id.in_(run_ids))
    itself = roots.cte("lineage", recursive=True)
    others = select(itself.c.root, Run.id, Run.replay_of, Run.started_by).join(
        itself, or_(Run.id == itself.c.replay_of, Run.merged_into == itself.c.id)
    )
    # UNION drops rows that are there already, so no data can make this run in a circle.
    lineage = itself.union(others.where(Run.tenant_id == tenant_id))
    query = (
        select(lineage.c.root, ApiKey.name, ApiKey.person)
        .join(ApiKey, ApiKey.id == lineage.c.started_by)
        .where(ApiKey.tenant_id == tenant_id)
        .distinct()
    )
    found: dict[UUID, set[Holder]] = {}
    for root, name, person in await session.execute(query):
        found.setdefault(root, set()).add(Holder(name, person))
    return found
