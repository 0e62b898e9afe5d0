"""Jobs whose worker died: every worker removes them."""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg
import pytest

from app.worker.consumer import SILENT_SECONDS, open_consumer, prune_lost_jobs

pytestmark = pytest.mark.no_articles

JOBS = 20


async def nothing(_run_id: UUID) -> None:
    """No worker takes a job here."""


async def test_watches_that_find_the_same_lost_jobs_do_not_fail(
    migrated_database: Callable[[], str],
) -> None:
    """The second worker finds the job gone, and goes on."""
    url = await asyncio.to_thread(migrated_database)
    async with open_consumer(url, nothing, nothing) as consumer:
        for _ in range(JOBS):
            await consumer.tasks["refresh_summary"].defer_async(run_id=str(uuid4()))
        async with await psycopg.AsyncConnection.connect(url) as connection:
            silent = f"now() - interval '{SILENT_SECONDS + 5} seconds'"
            await connection.execute(
                f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES ({silent})".encode()  # noqa: S608
            )
            await connection.execute(
                "UPDATE procrastinate_jobs SET status = 'doing',"
                " worker_id = (SELECT id FROM procrastinate_workers)"
            )
        found = await asyncio.gather(*(prune_lost_jobs(consumer) for _ in range(3)))
        assert found.count(JOBS) > 1, "at least two looked before the jobs were gone"
        async with await psycopg.AsyncConnection.connect(url) as connection:
            left = await connection.execute("SELECT count(*) FROM procrastinate_jobs")
            assert await left.fetchone() == (0,)
