"""The claim of a run by a worker, and what is queued when a run lets others pass. No commit."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import runs, turns
from app.db.tables import Run
from app.merging import absorb
from app.runs import Enqueue


async def claim(
    session: AsyncSession,
    enqueue: Enqueue,
    run_id: UUID,
    worker_id: int,
    trace_id: UUID,
    per_customer: int,
    graph_version: str | None = None,
) -> Run | None:
    """Take the run if it is its turn, with the newer messages of its ticket at its first start.

    A job that came before the run's time, because a clock was set back, is queued once more.
    """
    turn = await turns.lock_customer(session, run_id, per_customer)
    if turn is None:
        if (due := await turns.early(session, run_id)) is not None:
            await enqueue(session, run_id, due)
        return None
    run = await runs.claim(session, run_id, worker_id, trace_id, per_customer, graph_version)
    if run and run.attempt == 1 and turn.followed and run.replay_of is None:
        await absorb(session, run)
    return run


async def queue_followers(
    session: AsyncSession, enqueue: Enqueue, following: Iterable[UUID]
) -> None:
    """Queue the runs that had to wait for another, which were looked for after its end.

    Not in the transaction of that end: a claim that was refused meanwhile would not be seen.
    """
    for run_id in sorted(following):
        await runs.mark_queued(session, run_id)
        await enqueue(session, run_id, None)
