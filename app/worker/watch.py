"""A worker's watch: it shows to be alive, lets go of cancelled runs, rescues those of the dead.

Each worker holds a session advisory lock under its id. When a process dies, Postgres frees the
lock at once, and whoever gets it knows that nobody advances those runs any more. A host that is
frozen or cut off keeps its lock, but renews its lease no more. See docs/adr/0016.
"""

import asyncio
import time
from datetime import timedelta

import psycopg
from procrastinate import App
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import approvals
from app import runs as run_cases
from app.db import handoffs, rates, runs, turns, workers
from app.db.answers import forget_answers
from app.db.away import DATABASE_ERRORS, is_away
from app.db.engine import plain_dsn
from app.db.tables import Run
from app.log import get_logger
from app.worker.jobs import Jobs
from app.worker.queue import forget_lost_jobs

log = get_logger(__name__)

BEAT_SECONDS = 0.5
SWEEP_EVERY = 10
LOST_JOBS_EVERY = 60
# A due run whose job did not come within this time gets a new one; a double job is harmless.
OVERDUE = timedelta(seconds=15)
BATCH = 100


async def watch(jobs: Jobs, consumer: App) -> None:
    """Beat until cancelled; a database that is away is waited for."""
    url = jobs.service.settings.database_url
    assert url is not None, "a service has a database"
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                plain_dsn(url.get_secret_value()), autocommit=True
            ) as liveness:
                await liveness.execute("SELECT pg_advisory_lock(%s)", [jobs.id])
                await _renew(jobs)
                jobs.alive.set()
                await _beat(jobs, consumer, liveness)
        except DATABASE_ERRORS as error:
            if not is_away(error):
                raise
            if not jobs.draining:
                jobs.alive.clear()
            log.warning("watch_waits_for_database", error=str(error)[:200])
            await asyncio.sleep(BEAT_SECONDS)


async def _renew(jobs: Jobs) -> None:
    async with jobs.service.sessions.begin() as session:
        await workers.renew(session, jobs.id)


async def _beat(jobs: Jobs, consumer: App, liveness: psycopg.AsyncConnection) -> None:
    beats, renewed = 0, 0.0
    while True:
        await liveness.execute("SELECT 1")
        # By the clock: on a busy machine a beat takes seconds, and ten of them a lease's time.
        if time.monotonic() - renewed >= workers.RENEW_SECONDS:
            await _renew(jobs)
            renewed = time.monotonic()
        await let_go(jobs)
        await rescue(jobs)
        if beats % SWEEP_EVERY == 0:
            await sweep(jobs)
        if beats % LOST_JOBS_EVERY == 0:
            await forget_lost_jobs(consumer)
        beats += 1
        await asyncio.sleep(BEAT_SECONDS)


async def let_go(jobs: Jobs) -> None:
    """Cancel the runs of this worker that a caller cancelled; drop those that others took over."""
    believed = dict(jobs.active)
    async with jobs.service.sessions() as session:
        unwanted = await runs.cancel_requests(session, jobs.id)
        held = await runs.attempts_held_by(session, jobs.id) if believed else {}
    for run_id in unwanted:
        jobs.cancel(run_id)
    for run_id, active in believed.items():
        if held.get(run_id) != active.attempt:
            # Frozen for a while, this worker lost it. Its writes are refused; this saves the work.
            active.task.cancel()


async def rescue(jobs: Jobs) -> int:
    """Bring back the runs of every worker whose lock is free, or whose lease is over; how many."""
    async with jobs.service.sessions() as session:
        others = await runs.other_workers(session, jobs.id)
    rescued = sum([await _take_over(jobs, worker) for worker in others])
    return rescued + await _adopt_orphans(jobs)


async def _adopt_orphans(jobs: Jobs) -> int:
    """Bring back rows of our own that nobody here answers for, such as a claim whose answer the
    connection lost."""
    async with jobs.service.sessions.begin() as session:
        held = await runs.runs_held_by(session, jobs.id)
        orphans = [run for run in held if run.id not in jobs.mine]
        for run in orphans:
            await _bring_back(session, jobs, run)
        return len(orphans)


async def _take_over(jobs: Jobs, worker_id: int) -> int:
    async with jobs.service.sessions.begin() as session:
        free = select(func.pg_try_advisory_xact_lock(worker_id))
        if not await session.scalar(free) and not await workers.lease_is_over(session, worker_id):
            return 0
        lost = await runs.runs_held_by(session, worker_id)
        for run in lost:
            await _bring_back(session, jobs, run)
        return len(lost)


async def _bring_back(session: AsyncSession, jobs: Jobs, run: Run) -> None:
    log.warning("run_rescued", run_id=str(run.id), worker=run.worker_id, losses=run.losses + 1)
    await run_cases.bring_back(session, jobs.enqueue, run, jobs.service.settings.max_losses)


async def sweep(jobs: Jobs) -> None:
    """Remind of approvals, expire them, give what waits to people, replace lost jobs.

    Rates and answers whose time is over are forgotten.
    """
    limit = jobs.service.settings.customer_concurrency
    async with jobs.service.sessions.begin() as session:
        await approvals.remind(session, BATCH)
    async with jobs.service.sessions.begin() as session:
        await approvals.expire(session, jobs.enqueue, BATCH)
    await assign_handoffs(jobs)
    async with jobs.service.sessions.begin() as session:
        for run in await turns.overdue(session, OVERDUE, BATCH, limit):
            await runs.mark_queued(session, run.id)
            await jobs.enqueue(session, run.id, None)
    async with jobs.service.sessions.begin() as session:
        await rates.forget(session, BATCH * 10)
        await workers.forget_workers(session)
    async with jobs.service.sessions.begin() as session:
        await forget_answers(session, BATCH * 10)


async def assign_handoffs(jobs: Jobs) -> None:
    """Hand-offs that found nobody go to whoever is at work by now."""
    async with jobs.service.sessions() as session:
        waiting = await handoffs.tenants_that_wait(session)
    for tenant_id in waiting:
        async with jobs.service.sessions.begin() as session:
            assigned = await handoffs.assign_waiting(session, tenant_id)
        if assigned:
            log.info("handoffs_assigned", tenant_id=tenant_id, handoffs=assigned)
