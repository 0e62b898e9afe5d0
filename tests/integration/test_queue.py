"""The queue of jobs stays fast whatever Postgres believes of its length."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
from procrastinate.jobs import Status

from app.db.runs.enqueue import QUEUE
from app.worker.consumer import PatientJobManager, open_consumer
from tests.acceptance.own_database import migrated

BURST = 2000
DEFER = """
INSERT INTO procrastinate_jobs (queue_name, task_name, args)
SELECT 'runs', 'refresh_summary', jsonb_build_object('run_id', gen_random_uuid())
FROM generate_series(1, %s)"""
OTHERS = """
SELECT 1 FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
READ = "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'procrastinate_jobs'"


@pytest.fixture
async def url(fresh_database: Callable[[], str]) -> str:
    """A database whose queue no other test uses."""
    return await asyncio.to_thread(migrated, fresh_database())


async def nothing(_run_id: UUID) -> None:
    """No worker does a job here."""


async def execute(url: str, sql: str, *values: Any) -> list[Any]:
    """One statement by itself, and its rows."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        done = await connection.execute(sql.encode(), values)
        return await done.fetchall() if done.description else []


async def test_burst_on_an_empty_queue_is_not_read_for_each_job(url: str) -> None:
    """A session that knew the queue empty takes from a full one without reading all of it."""
    async with open_consumer(url, nothing, nothing) as consumer:
        idle = asyncio.Event()
        idle.set()
        members = PatientJobManager(consumer.connector, idle, asyncio.Event())
        worker_id = await members.register_worker()
        for number in range(20):
            await execute(url, DEFER, BURST if number == 10 else 1)
            job = await members.fetch_job([QUEUE], worker_id)
            assert job is not None
            await members.finish_job(job, Status.SUCCEEDED, delete_job=True)
    # A session that has ended has reported what it read.
    while await execute(url, OTHERS):  # noqa: ASYNC110  # the database does not notify
        await asyncio.sleep(0.02)
    [[rows]] = await execute(url, READ)
    assert rows < BURST
