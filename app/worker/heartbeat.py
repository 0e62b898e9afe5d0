"""Heartbeat of a worker: renews its lease, stops cancelled runs, recovers runs of dead workers.

Each worker holds a session advisory lock under its id. When a process dies, Postgres frees the
lock at once, so a free lock identifies the runs of a dead worker. A host that is frozen or cut off
keeps its lock, but no longer renews its lease. See docs/adr/0016.
"""

import asyncio
import time
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.availability import DATABASE_ERRORS, wait_out
from app.db.core.compiled import RawConnection
from app.db.core.connections import direct_connection, direct_url
from app.db.runs import trace_notes, workers
from app.db.tables.runs import Run
from app.execution.finish import bring_back
from app.log import get_logger
from app.worker.run_runner import Active, RunRunner

log = get_logger(__name__)

# The longest time until a cancel or a death is seen; a beat is two short statements.
HEARTBEAT_SECONDS = 0.25
UNAVAILABLE_SECONDS = 0.5
# Runs recovered in one transaction: a worker's default number, so that the first of many go on
# while the rest follow.
BATCH = 20


async def run_heartbeat(runner: RunRunner) -> None:
    """Run the heartbeat until cancelled; waits while the database is unavailable."""
    url = direct_url(runner.service.settings)
    while True:
        try:
            async with direct_connection(url) as liveness:
                await liveness.execute("SELECT pg_advisory_lock(%s)", [runner.id])
                await _renew_lease(runner, liveness)
        except DATABASE_ERRORS as error:
            if not runner.draining:
                runner.alive.clear()
            await wait_out(error, "heartbeat", UNAVAILABLE_SECONDS)


async def _renew_lease(runner: RunRunner, liveness: RawConnection) -> None:
    renewed: float | None = None
    while True:
        if renewed is None or time.monotonic() - renewed >= workers.RENEW_SECONDS:
            renewed = time.monotonic()
            async with runner.service.sessions.begin() as session:
                await workers.renew(session, runner.id)
            runner.alive.set()
            runner.wake.set()
        # As long as there are orphans, the next batch follows at once. Each look checks as well
        # that the connection, and with it our lock, still exists.
        if not await recover_orphans(runner, liveness):
            await asyncio.sleep(HEARTBEAT_SECONDS)


async def recover_orphans(runner: RunRunner, liveness: RawConnection) -> int:
    """Stop runs that were cancelled or lost, recover a batch of orphans; returns how many.

    It reads over a connection of its own: if all pooled ones waited for locks, a healthy worker
    would seem dead.
    """
    believed = dict(runner.active)
    held = await workers.held_by(liveness, runner.id)
    missing = await workers.missing_beside(liveness, runner.id)
    _stop_cancelled(runner, believed, held)
    rescued = await _recover(
        runner, [held_run for held_run in held if held_run.id not in runner.mine]
    )
    return rescued + sum([await _take_over(runner, worker_id) for worker_id in missing])


def _stop_cancelled(
    runner: RunRunner, believed: dict[UUID, Active], held: list[workers.Held]
) -> None:
    for run in held:
        if run.unwanted:
            runner.cancel(run.id)
    attempts = {run.id: run.attempt for run in held}
    for run_id, active in believed.items():
        if attempts.get(run_id) != active.attempt:
            # This worker was frozen and lost the run. Its writes are refused: stop the work.
            active.task.cancel()


async def _recover(runner: RunRunner, orphans: list[workers.Held]) -> int:
    """Recover rows of our own that no job here holds, such as a claim whose answer was lost."""
    if not orphans:
        return 0
    async with runner.service.sessions.begin() as session:
        ids = [run.id for run in orphans]
        locked = await workers.lock_held(session, runner.id, BATCH, ids)
        # Checked again now that the rows are locked: most of them just settled.
        lost = [run for run in locked if run.id not in runner.mine]
        return await _bring_back(session, runner, lost)


async def _take_over(runner: RunRunner, worker_id: int) -> int:
    async with runner.service.sessions.begin() as session:
        if not await workers.is_missing(session, worker_id):
            return 0
        return await _bring_back(
            session, runner, await workers.lock_held(session, worker_id, BATCH)
        )


async def _bring_back(session: AsyncSession, runner: RunRunner, lost: list[Run]) -> int:
    limit = runner.service.settings.max_losses
    for run in lost:
        log.warning("run_rescued", run_id=str(run.id), worker=run.worker_id, losses=run.losses + 1)
    # The others end, or may: each with all that belongs to an end.
    plain = [run for run in lost if not run.cancel_requested_at and run.losses + 1 < limit]
    if plain:
        await workers.hand_back(session, plain)
    for run in lost:
        await trace_notes.note(session, run, "lost")
        if run not in plain:
            await bring_back(session, runner.enqueue, run, limit)
    return len(lost)
