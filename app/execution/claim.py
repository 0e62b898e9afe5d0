"""Claim runs for a worker, and queue the runs that had to wait for one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.core.compiled import Executor, RawConnection
from app.db.core.connections import Sessions
from app.db.runs import queue, transitions
from app.db.runs.queue import Picked
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


class Turn(NamedTuple):
    """What one look at the queue found: runs that are claimed, and those to `claim` one by one.

    `full` when there may be more.
    """

    claimed: list[Run]
    followed: list[UUID]
    full: bool


async def claim_next(
    sessions: Sessions, most: int, by: Claimant, expect: Callable[[list[UUID]], None]
) -> Turn:
    """Claim up to `most` runs of the queue. Those that may not run now leave the queue.

    `expect` is given the runs that are about to be claimed.
    """
    async with sessions.raw_connection() as connection, connection.transaction():
        picked = await queue.pick(connection, most)
        followed = _first_followed(picked)
        alone = [found.id for found in picked if found.id not in followed]
        expect(alone)
        claimed = await _claim(connection, alone, by) if alone else []
    return Turn(claimed, followed, len(picked) == most)


def _first_followed(picked: list[Picked]) -> list[UUID]:
    """Of each thread the first followed run: the others may not run before it.

    They leave the queue with the look, since a claim of theirs would hold the rows of what the
    first is about to absorb.
    """
    firsts: dict[UUID, UUID] = {}
    for found in picked:
        if found.followed:
            firsts.setdefault(found.thread_id, found.id)
    return list(firsts.values())


async def _claim(connection: RawConnection, run_ids: list[UUID], by: Claimant) -> list[Run]:
    claimed = await _take(connection, run_ids, by)
    if refused := set(run_ids) - {run.id for run in claimed}:
        await queue.take_off(connection, sorted(refused))
    return claimed


async def claim(sessions: Sessions, run_id: UUID, by: Claimant) -> Run | None:
    """Take the run if it may run now, and absorb the newer messages of its ticket at first start.

    One that may not run now leaves the queue.
    """
    # Absorbed runs may have callbacks, whose rows need a session.
    async with sessions.begin() as session:
        picked = await queue.pick_one(session, run_id)
        if picked is None:
            return None
        claimed = await _take(session, [run_id], by)
        if not claimed:
            await queue.take_off(session, [run_id])
            return None
        [run] = claimed
        if picked.followed and run.attempt == 1 and run.replay_of is None:
            await absorb(session, run)
        return run


async def _take(executor: Executor, run_ids: list[UUID], by: Claimant) -> list[Run]:
    traces = {run_id: uuid7() for run_id in run_ids}
    own = (by.worker_id, by.per_customer, by.graph_version)
    return await transitions.claim(executor, traces, *own, tracing=by.tracing)


async def queue_followers(
    session: AsyncSession, enqueue: Enqueue, following: Iterable[UUID]
) -> None:
    """Queue the runs that waited for another one, found after that one's end was committed.

    Within the transaction of that end a claim refused meanwhile would be missed.
    """
    for run_id in sorted(following):
        await enqueue(session, run_id, None)
