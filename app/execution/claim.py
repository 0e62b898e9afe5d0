"""The claim of a run by a worker, and what is queued when a run lets others pass."""

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
    """Who takes runs: a worker, by its settings."""

    worker_id: int
    per_customer: int
    graph_version: str | None = None


async def claim(sessions: Sessions, enqueue: Enqueue, run_id: UUID, by: Claimant) -> Run | None:
    """Take the run if it is its turn, with the newer messages of its ticket at its first start.

    A job that came before the run's time, because a clock was set back, is queued once more.
    """
    async with sessions.raw_connection() as connection, connection.transaction():
        turn = await scheduling.lock_customer(connection, run_id, by.per_customer)
        if turn is None:
            if (due := await scheduling.due_later(connection, run_id)) is not None:
                await enqueue(connection, run_id, due)
            return None
        if not turn.followed:
            return await _take(connection, run_id, by)
    # What is absorbed may be told by callbacks, whose rows are a session's.
    async with sessions.begin() as session:
        if await scheduling.lock_customer(session, run_id, by.per_customer) is None:
            return None
        run = await _take(session, run_id, by)
        if run and run.attempt == 1 and run.replay_of is None:
            await absorb(session, run)
        return run


async def _take(executor: Executor, run_id: UUID, by: Claimant) -> Run | None:
    own = (by.worker_id, uuid7(), by.per_customer, by.graph_version)
    return await transitions.claim(executor, run_id, *own)


async def queue_followers(
    session: AsyncSession, enqueue: Enqueue, following: Iterable[UUID]
) -> None:
    """Queue the runs that had to wait for another, which were looked for after its end.

    Not in the transaction of that end: a claim that was refused meanwhile would not be seen.
    """
    for run_id in sorted(following):
        await transitions.mark_queued(session, run_id)
        await enqueue(session, run_id, None)
