"""Periodic maintenance by each worker.

Reminders, expiries, hand-offs, what is not queued, alarms, seals of the audit trail, pruning.

A task of its own, so that slow maintenance delays neither the worker's lease nor a recovery.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta

from procrastinate import App

from app.db.console.claims import prune_claims
from app.db.console.sessions import prune_sessions
from app.db.core.availability import end_if_cancelled, is_unavailable
from app.db.effects import handoffs
from app.db.knowledge.answer_cache import prune_answers
from app.db.runs import scheduling, workers
from app.db.tenants import rate_limit
from app.db.tenants.policy_changes import expire_changes
from app.log import get_logger
from app.services.approvals import deadlines
from app.services.audit.seal import seal_all
from app.services.connections import expiry
from app.worker.consumer import prune_lost_jobs
from app.worker.run_runner import RunRunner

log = get_logger(__name__)

MAINTENANCE_SECONDS = 5.0
# A due run that is not on the queue for so long is put there, such as one that waited for another
# run whose worker died right after its end.
OVERDUE = timedelta(seconds=15)
BATCH = 100


async def run_maintenance(runner: RunRunner, consumer: App, stop: asyncio.Event) -> None:
    """Run every maintenance task each MAINTENANCE_SECONDS until `stop` is set."""
    while not stop.is_set():
        for work in TASKS:
            await _try(work.__name__, work(runner))
        await _try("prune_lost_jobs", prune_lost_jobs(consumer))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), MAINTENANCE_SECONDS)


async def _try(name: str, work: Awaitable[object]) -> None:
    """Run a task; a failure is logged, and the task runs again the next time."""
    try:
        await work
    except Exception as error:
        # One bad row must not stop every worker that reads it.
        if is_unavailable(error):
            log.warning("database_unavailable", part="maintenance", task=name, error=error)
        else:
            log.exception("maintenance_failed", task=name, error=error)
        end_if_cancelled()


async def remind(runner: RunRunner) -> None:
    """Send reminders of waiting approvals."""
    async with runner.service.sessions.begin() as session:
        await deadlines.remind(session, BATCH)


async def expire(runner: RunRunner) -> None:
    """Expire approvals and policy changes whose time is over."""
    async with runner.service.sessions.begin() as session:
        await deadlines.expire(session, runner.enqueue, BATCH)
        await expire_changes(session, BATCH)


async def assign_handoffs(runner: RunRunner) -> None:
    """Assign waiting hand-offs to agents who are available by now."""
    async with runner.service.sessions() as session:
        waiting = await handoffs.tenants_that_wait(session)
    for tenant_id in waiting:
        async with runner.service.sessions.begin() as session:
            assigned = await handoffs.assign_waiting(session, tenant_id)
        if assigned:
            log.info("handoffs_assigned", tenant_id=tenant_id, handoffs=assigned)


async def queue_overdue(runner: RunRunner) -> None:
    """Queue due runs that nothing has put on the queue for a while."""
    limit = runner.service.settings.customer_concurrency
    async with runner.service.sessions.begin() as session:
        for run in await scheduling.overdue(session, OVERDUE, BATCH, limit):
            await runner.enqueue(session, run.id, None)


async def warn_of_expiry(runner: RunRunner) -> None:
    """Say of connections that their credentials end soon."""
    async with runner.service.sessions.begin() as session:
        await expiry.warn(session, BATCH)


async def seal_audit(runner: RunRunner) -> None:
    """Chain the audit events that were committed since the last time."""
    await seal_all(runner.service.sessions)


async def prune(runner: RunRunner) -> None:
    """Delete expired rates, leases, cached answers and sessions, and claims of what has ended."""
    async with runner.service.sessions.begin() as session:
        await rate_limit.prune(session, BATCH * 10)
        await workers.prune_workers(session)
    async with runner.service.sessions.begin() as session:
        await prune_answers(session, BATCH * 10)
        await prune_sessions(session, BATCH * 10)
        await prune_claims(session, BATCH * 10)


TASKS = (remind, expire, assign_handoffs, queue_overdue, warn_of_expiry, seal_audit, prune)
