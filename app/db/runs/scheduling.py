"""Scheduling: what a pending run waits for, and which runs go next."""

from datetime import timedelta
from functools import cache
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.db.core.compiled import CompiledStatement, Executor
from app.db.tables.runs import Run
from app.db.tenants.pauses import paused
from app.lifecycle import RunStatus

# An alias costs a copy of every column, and a statement its compilation: both are made once.
Other = aliased(Run)


@cache
def blocked_by_thread() -> ColumnElement[bool]:
    """The thread is not free for this run: one has begun, or an older one comes first.

    A run that began itself never waits: an older one may have been written later than this one
    was claimed, since `seq` is given before the commit.
    """
    first = or_(Other.started_at.is_not(None), Other.seq < Run.seq)
    unfinished = select(literal(1)).where(
        Other.thread_id == Run.thread_id, Other.id != Run.id, Other.finished_at.is_(None), first
    )
    return and_(Run.started_at.is_(None), unfinished.exists())


@cache
def customer_at_limit(limit: int, turn: ColumnElement[int] | None = None) -> ColumnElement[bool]:
    """The customer is at its concurrency limit and this run has not started yet.

    `turn` is its place among the runs of its customer that are claimed with it, from 1.
    """
    running = select(func.count()).where(
        Other.tenant_id == Run.tenant_id,
        Other.customer_id == Run.customer_id,
        Other.status == RunStatus.RUNNING,
    )
    before = running.scalar_subquery()
    more = before >= limit if turn is None else before + turn > limit
    return and_(Run.started_at.is_(None), more)


async def next_after(executor: Executor, run: Run) -> list[UUID]:
    """The runs that may start once this one has ended: the next of its thread and customer."""
    of_run = {
        "thread_id": run.thread_id,
        "tenant_id": run.tenant_id,
        "customer_id": run.customer_id,
    }
    return [run_id for (run_id,) in await _select_next_after().rows(executor, **of_run)]


@cache
def _select_next_after() -> CompiledStatement:
    ready = select(Run.id).where(
        Run.status == RunStatus.PENDING, Run.not_before <= func.now(), ~blocked_by_thread()
    )
    same_customer = (
        Run.tenant_id == bindparam("tenant_id"),
        Run.customer_id == bindparam("customer_id"),
    )
    ways = (ready.where(Run.thread_id == bindparam("thread_id")), ready.where(*same_customer))
    return CompiledStatement(union(*[way.order_by(Run.seq).limit(1) for way in ways]))


async def overdue(
    session: AsyncSession, waiting: timedelta, limit: int, per_customer: int
) -> list[Run]:
    """Due pending runs that were queued longer than `waiting` ago, and are not on the queue."""
    before = func.now() - waiting
    query = (
        select(Run)
        .where(Run.status == RunStatus.PENDING, Run.queued_at < before, Run.not_before <= before)
        .where(Run.queued_for.is_(None))
        .where(~blocked_by_thread(), ~customer_at_limit(per_customer), ~paused())
        .order_by(Run.queued_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(await session.scalars(query))
