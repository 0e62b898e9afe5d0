"""Consumes jobs, which are summaries to refresh; `app/db/runs/enqueue.py` puts them on the queue.

Runs are no jobs: they wait in their own rows (`app/db/runs/queue.py`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.schema import SchemaManager
from psycopg.sql import SQL, Identifier
from sqlalchemy import Uuid, bindparam, select

from app.db.core.compiled import CompiledStatement, Executor, RawConnection
from app.db.core.connections import SteadyPool, check_socket, plain_dsn
from app.db.runs.enqueue import ADVANCE, QUEUE, SUMMARIZE, summary_queued
from app.worker.admission import loop_has_time

JOBS_POOL = 3
# Jobs for later are not announced when their time comes; this is how late they may be.
POLL_SECONDS = 0.5
# A worker without a heartbeat for this long has lost its jobs.
SILENT_SECONDS = 30

HISTORY = (
    "procrastinate_trigger_status_events_insert_v1",
    "procrastinate_trigger_status_events_update_v1",
    "procrastinate_trigger_scheduled_events_v1",
)


async def enqueue_summary(executor: Executor, run_id: UUID) -> None:
    """Have the summary of the run's ticket refreshed, once no run waits for a worker."""
    await _select_deferred().rows(executor, run=run_id)


@cache
def _select_deferred() -> CompiledStatement:
    return CompiledStatement(select(summary_queued(bindparam("run", type_=Uuid()))))


@asynccontextmanager
async def open_consumer(
    database_url: str,
    requeue: Callable[[UUID], Awaitable[None]],
    summarize: Callable[[UUID], Awaitable[None]],
) -> AsyncIterator[App]:
    """Open the queue for a worker: runs `summarize` for its jobs.

    A job that an earlier release left, to advance a run, is given to `requeue`.
    """
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
        await requeue(UUID(run_id))

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


class PatientJobManager(JobManager):
    """Fetches jobs while no run waits for a worker and the event loop has time for them."""

    def __init__(self, connector: BaseConnector, idle: asyncio.Event, stop: asyncio.Event) -> None:
        super().__init__(connector)
        self._idle = idle
        self._stop = stop

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Fetch a job, or none for now; until then any worker may have it."""
        await loop_has_time(self._stop)
        free = self._idle.is_set() and not self._stop.is_set()
        return await super().fetch_job(queues, worker_id) if free else None


async def consume(
    consumer: App, idle: asyncio.Event, concurrency: int, stop: asyncio.Event
) -> None:
    """Take jobs while `idle` is set, none after `stop`; when cancelled, end those that run."""
    consumer.job_manager = PatientJobManager(consumer.connector, idle, stop)
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
    """Delete jobs of silent workers: the next run of their ticket queues a summary again."""
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
