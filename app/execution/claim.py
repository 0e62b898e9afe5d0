"""Claim a run for a worker, and queue the runs that had to wait for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.core.compiled import Executor
from app.db.core.connections import Sessions
from app.db.runs import scheduling, transitions
from app.db.tables.runs import Run
from app.services.runs.merge_messages import absorb
from app.services.runs.start_and_cancel import Enqueue


@dataclass(frozen=True, slots=True)
class Claimant:
    """The worker that claims, and its settings."""

    worker_id: int
    per_customer: int
    graph_version: str | None = None
    tracing: bool = False


async def claim(sessions: Sessions, enqueue: Enqueue, run_id: UUID, by: Claimant) -> Run | None:
    """Take the run if it may run now, and absorb the newer messages of its ticket at first start.

    A job that came before the run's time, because a clock was set back, is queued again.
    """
    async with sessions.raw_connection() as connection, connection.transaction():
        turn = await scheduling.lock_customer(connection, run_id, by.per_customer)
        if turn is None:
            if (due := await scheduling.due_later(connection, run_id)) is not None:
                await enqueue(connection, run_id, due)
            return None
        if not turn.followed:
            return await _take(connection, run_id, by)
    # Absorbed runs may have callbacks, whose rows need a session.
    async with sessions.begin() as session:
        if await scheduling.lock_customer(session, run_id, by.per_customer) is None:
            return None
        run = await _take(session, run_id, by)
        if run and run.attempt == 1 and run.replay_of is None:
            await absorb(session, run)
        return run


async def _take(executor: Executor, run_id: UUID, by: Claimant) -> Run | None:
    own = (by.worker_id, uuid7(), by.per_customer, by.graph_version)
    return await transitions.claim(executor, run_id, *own, tracing=by.tracing)


async def queue_followers(
    session: AsyncSession, enqueue: Enqueue, following: Iterable[UUID]
) -> None:
    """Queue the runs that waited for another one, found after that one's end was committed.

    Within the transaction of that end a claim refused meanwhile would be missed.
    """
    for run_id in sorted(following):
        await transitions.mark_queued(session, run_id)
        await enqueue(session, run_id, None)
