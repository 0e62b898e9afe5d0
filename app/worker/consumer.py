"""Consumes the queue; `app/db/runs/enqueue.py` puts jobs on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from psycopg.sql import SQL, Identifier
from sqlalchemy import DateTime, Uuid, bindparam, select

from app.db.core.compiled import CompiledStatement, Executor, RawConnection
from app.db.core.connections import SteadyPool, check_socket, plain_dsn
from app.db.runs.enqueue import ADVANCE, QUEUE, SUMMARIZE, Task, queued
from app.worker.queue_membership import LivenessJobManager

JOBS_POOL = 4
# Jobs for later are not announced when their time comes; this is how late they may be.
POLL_SECONDS = 0.5
# A worker without a heartbeat for this long has lost its jobs.
SILENT_SECONDS = 30

HISTORY = (
    "procrastinate_trigger_status_events_insert_v1",
    "procrastinate_trigger_status_events_update_v1",
    "procrastinate_trigger_scheduled_events_v1",
)


async def enqueue_run(executor: Executor, run_id: UUID, at: datetime | None) -> None:
    """Enqueue a job inside the executor's transaction: both happen or neither."""
    await _select_deferred(ADVANCE).rows(executor, run=run_id, at=at)


async def enqueue_summary(executor: Executor, run_id: UUID) -> None:
    """Have the summary of the run's ticket refreshed, once no run waits for a worker."""
    await _select_deferred(SUMMARIZE).rows(executor, run=run_id, at=None)


@cache
def _select_deferred(task: Task) -> CompiledStatement:
    run_id, at = bindparam("run", type_=Uuid()), bindparam("at", type_=DateTime(timezone=True))
    return CompiledStatement(select(queued(task, run_id, at)))


@asynccontextmanager
async def open_consumer(
    database_url: str,
    advance: Callable[[UUID], Awaitable[None]],
    summarize: Callable[[UUID], Awaitable[None]],
) -> AsyncIterator[App]:
    """Open the queue for a worker: runs `advance` and `summarize` for its jobs."""
    # Not synchronous: a job that a crash of the server brings back claims nothing the second time.
    # A plan made while the queue is empty reads the whole table, for each job once for every other;
    # it is kept until the next ANALYZE, so a burst of 1000 took 180 ms a job instead of 0.5.
    connector = PsycopgConnector(
        pool_factory=_pool,
        conninfo=plain_dsn(database_url),
        min_size=1,
        max_size=JOBS_POOL,
        timeout=5,
        configure=_autocommit,
        kwargs={"options": "-c synchronous_commit=off -c enable_seqscan=off"},
    )
    consumer = App(connector=connector)

    @consumer.task(name=ADVANCE, queue=QUEUE)
    async def advance_run(run_id: str) -> None:
        await advance(UUID(run_id))

    @consumer.task(name=SUMMARIZE, queue=QUEUE)
    async def refresh_summary(run_id: str) -> None:
        await summarize(UUID(run_id))

    async with consumer.open_async():
        yield consumer


def _pool(*arguments: Any, **options: Any) -> SteadyPool[RawConnection]:
    """A pool without the connector's query before each call; the socket is checked instead."""
    return SteadyPool(*arguments, **{**options, "check": check_socket})


async def _autocommit(connection: RawConnection) -> None:
    """Each call of the queue is one statement, which needs no BEGIN and COMMIT around it."""
    await connection.set_autocommit(True)


async def consume(consumer: App, worker_id: int, concurrency: int, stop: asyncio.Event) -> None:
    """Take jobs until cancelled, none after `stop`; then wait for those that run.

    The session lock `worker_id` must be held by then, or others take the jobs for lost.
    """
    consumer.job_manager = LivenessJobManager(consumer.connector, worker_id, stop)
    await consumer.run_worker_async(
        queues=[QUEUE],
        concurrency=concurrency,
        wait=True,
        listen_notify=True,
        fetch_job_polling_interval=POLL_SECONDS,
        delete_jobs="always",
        install_signal_handlers=False,
        stalled_worker_timeout=SILENT_SECONDS,
    )


async def prune_lost_jobs(consumer: App) -> int:
    """Delete jobs of silent workers: their runs are recovered by the heartbeat."""
    manager = consumer.job_manager
    lost = list(await manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_SECONDS))
    for job in lost:
        try:
            await manager.finish_job(job, Status.FAILED, delete_job=True)
        except ConnectorException as error:
            # Another worker deleted it first, or the silent one has finished it after all.
            if not isinstance(error.__cause__, psycopg.errors.RaiseException):
                raise
    return len(lost)


async def apply_schema(database_url: str) -> None:
    """Create Procrastinate's tables once, and analyse them: fresh tables mislead the planner."""
    async with await psycopg.AsyncConnection.connect(plain_dsn(database_url)) as connection:
        exists = await connection.execute("SELECT to_regclass('procrastinate_jobs')")
        row: Any = await exists.fetchone()
        if row[0] is None:
            await connection.execute(SchemaManager.get_schema())
        # They write a history of jobs that are deleted when they end: four writes, never read.
        for trigger in HISTORY:
            await connection.execute(
                SQL("ALTER TABLE procrastinate_jobs DISABLE TRIGGER {}").format(Identifier(trigger))
            )
        for table in ("procrastinate_jobs", "procrastinate_events"):
            await connection.execute(f"ANALYZE {table}")
