"""The queue of runs, which is a column of their rows: on it while `queued_for` is set.

That is the time from which a worker may look at the run; the oldest comes first. A claim takes it
off within the claim's own statement, so none is lost between the two. A run that may not be
claimed is taken off as well: what it waits for puts it on again, at the end of the queue.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from uuid import UUID

from psycopg.sql import SQL, Identifier
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    update,
)

from app.db.core import advisory_locks
from app.db.core.compiled import CompiledStatement, Executor
from app.db.core.connections import direct_connection
from app.db.runs.scheduling import Other
from app.db.tables.runs import Run
from app.db.tenants.pauses import held_still
from app.lifecycle import RunStatus

CHANNEL = "deskgraph_queue"
# While a run is due for so long there is a backlog: workers look whenever a place is free, and
# twice a second. Much less, and a start whose commit takes long might be missed by their last look.
BACKLOG = timedelta(seconds=1)


class Picked(NamedTuple):
    """A run of the queue; `followed`: it is pending, and newer messages of its ticket behind it."""

    id: UUID
    thread_id: UUID
    followed: bool


def announced(due: ColumnElement[datetime]) -> ColumnElement[None]:
    """A column that wakes idle workers when it is read, if the run is due; not in a backlog."""
    waiting = select(literal(1)).where(Other.queued_for <= func.now() - BACKLOG)
    return case((and_(due <= func.now(), ~waiting.exists()), func.pg_notify(CHANNEL, "")))


async def enqueue_run(executor: Executor, run_id: UUID, at: datetime | None) -> None:
    """Put a pending run at the end of the queue, now or from `at` on; any other stays off it.

    One that is on it keeps its place: else each end of a run of its customer would set it back.
    """
    await _update_queued().rows(executor, run=run_id, at=at)


@cache
def _update_queued() -> CompiledStatement:
    # Either function leaves out what is null. A time that is over is no place ahead of others.
    due = func.greatest(bindparam("at", type_=DateTime(timezone=True)), func.now())
    queued = (
        update(Run)
        .where(Run.id == bindparam("run", type_=Uuid()), Run.status == RunStatus.PENDING)
        .values(queued_at=func.now(), queued_for=func.least(Run.queued_for, due))
        .returning(Run.queued_for)
        .cte("queued")
    )
    return CompiledStatement(select(announced(queued.c.queued_for)))


async def pick(executor: Executor, most: int) -> list[Picked]:
    """Lock up to `most` runs that are due, the oldest first; rows locked by others are skipped.

    They come in the order of their messages.

    Until the transaction ends the claims of their customers are serialised, and their pause
    switches held still: a later statement sees for certain what may be claimed, and one that
    takes a run off the queue is seen by what puts it on again.
    """
    return [Picked(*row[:3]) for row in await _pick(one=False).rows(executor, most=most)]


async def pick_one(executor: Executor, run_id: UUID) -> Picked | None:
    """The same for one pending run, on the queue or not; None when another transaction has it."""
    found = await _pick(one=True).rows(executor, run=run_id)
    return Picked(*found[0][:3]) if found else None


@cache
def _pick(*, one: bool) -> CompiledStatement:
    """Locks in one order everywhere: rows without waiting, customers by their key, switches."""
    customer = advisory_locks.key("customer", Run.tenant_id, Run.customer_id)
    # A worker of an earlier release claims without taking off: not all that is on it is pending.
    due = select(
        Run.id,
        Run.seq,
        Run.thread_id,
        Run.tenant_id,
        Run.status,
        customer.label("customer"),
    )
    if one:
        due = due.where(Run.id == bindparam("run", type_=Uuid()), Run.status == RunStatus.PENDING)
    else:
        due = due.where(Run.queued_for <= func.now()).order_by(Run.queued_for, Run.seq)
        due = due.limit(bindparam("most", type_=Integer))
    # A row that is only referred to by a new one is free: a claim changes no key.
    free = due.with_for_update(skip_locked=True, key_share=True)
    picked = free.cte("picked").prefix_with("MATERIALIZED")
    in_order = select(picked).order_by(picked.c.customer).subquery("in_order")
    lock = func.pg_advisory_xact_lock(in_order.c.customer)
    locked = select(in_order, lock.label("lock")).cte("locked").prefix_with("MATERIALIZED")
    behind = select(literal(1)).where(
        Other.thread_id == locked.c.thread_id,
        Other.seq > locked.c.seq,
        Other.finished_at.is_(None),
    )
    # Sorted, so that every customer is locked before the first switch.
    followed = and_(locked.c.status == RunStatus.PENDING, behind.exists())
    switches = held_still(locked.c.tenant_id)
    return CompiledStatement(
        select(locked.c.id, locked.c.thread_id, followed, *switches).order_by(locked.c.seq)
    )


async def take_off(executor: Executor, run_ids: Sequence[UUID]) -> None:
    """Take picked runs that may not be claimed off the queue; one before its time waits for it."""
    await _update_taken_off().rows(executor, runs=list(run_ids))


@cache
def _update_taken_off() -> CompiledStatement:
    early = and_(Run.status == RunStatus.PENDING, Run.not_before > func.clock_timestamp())
    return CompiledStatement(
        update(Run)
        .where(Run.id == func.any(bindparam("runs", type_=ARRAY(Uuid))))
        .values(queued_for=case((early, Run.not_before)))
    )


async def listen(database_url: str) -> AsyncIterator[None]:
    """Each time that there may be a run to take, on a connection of its own. Raises psycopg.Error.

    Of runs that are due later, and of those beside many that wait, nothing is heard.
    """
    async with direct_connection(database_url) as connection:
        await connection.execute(SQL("LISTEN {}").format(Identifier(CHANNEL)))
        yield
        async for _ in connection.notifies():
            yield
