"""Scheduling: what a pending run waits for, and which runs go next."""

from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Uuid,
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

from app.db.core import advisory_locks
from app.db.core.compiled import CompiledStatement, Executor
from app.db.tables.runs import Run
from app.db.tenants.pauses import held_still, paused
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
def customer_at_limit(limit: int) -> ColumnElement[bool]:
    """The customer is at its concurrency limit and this run has not started yet."""
    running = select(func.count()).where(
        Other.tenant_id == Run.tenant_id,
        Other.customer_id == Run.customer_id,
        Other.status == RunStatus.RUNNING,
    )
    return and_(Run.started_at.is_(None), running.scalar_subquery() >= limit)


class Eligibility(NamedTuple):
    """That a run may be claimed now; `followed`: newer messages of its ticket wait behind it."""

    followed: bool


async def lock_customer(executor: Executor, run_id: UUID, per_customer: int) -> Eligibility | None:
    """Take the customer's lock, which serialises the claims of its runs until the transaction ends.

    None, without waiting, when the run may not be claimed now: the jobs of a flood must not hold
    a connection each while they wait for the lock.

    The pause switch is held still as well, so that a claim that it refuses is one that
    switching it off finds pending, and queues.
    """
    locked = await _lock_customer(per_customer).rows(executor, run_id=run_id)
    return Eligibility(followed=locked[0][-1]) if locked else None


@cache
def _lock_customer(per_customer: int) -> CompiledStatement:
    key = advisory_locks.exclusive("customer", Run.tenant_id, Run.customer_id)
    ready = (
        Run.status == RunStatus.PENDING,
        Run.not_before <= func.now(),
        ~blocked_by_thread(),
        ~customer_at_limit(per_customer),
    )
    behind = select(literal(1)).where(
        Other.thread_id == Run.thread_id, Other.seq > Run.seq, Other.finished_at.is_(None)
    )
    query = select(key, *held_still(Run.tenant_id), behind.exists().label("followed"))
    return CompiledStatement(query.where(Run.id == bindparam("run_id", type_=Uuid()), *ready))


@cache
def _select_due_later() -> CompiledStatement:
    return CompiledStatement(
        select(Run.not_before).where(
            Run.id == bindparam("run", type_=Uuid()),
            Run.status == RunStatus.PENDING,
            Run.not_before > func.now(),
        )
    )


async def due_later(executor: Executor, run_id: UUID) -> datetime | None:
    """When a pending run is due, if that is still to come by the database's clock."""
    found = await _select_due_later().rows(executor, run=run_id)
    return found[0][0] if found else None


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
    """Due pending runs that were queued longer than `waiting` ago: their job may be lost."""
    before = func.now() - waiting
    query = (
        select(Run)
        .where(Run.status == RunStatus.PENDING, Run.queued_at < before, Run.not_before <= before)
        .where(~blocked_by_thread(), ~customer_at_limit(per_customer), ~paused())
        .order_by(Run.queued_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(await session.scalars(query))
