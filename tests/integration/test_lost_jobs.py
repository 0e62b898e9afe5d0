"""Jobs whose worker died: every worker's heartbeat puts them back or removes them."""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg

from app.db.core.connections import direct_url
from app.db.runs import transitions
from app.execution.wiring import Service
from app.worker.consumer import SILENT_SECONDS, open_consumer, prune_lost_jobs
from app.worker.queue_membership import put_back
from tests.conftest import Tenant
from tests.integration.workplace import Workplace

JOBS = 20
TAKE = """
UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE args->>'run_id' = %s"""
JOIN = "INSERT INTO procrastinate_workers (id) OVERRIDING SYSTEM VALUE VALUES (%s)"


async def nothing(_run_id: UUID) -> None:
    """No worker takes a job here."""


async def test_watches_that_find_the_same_lost_jobs_do_not_fail(
    migrated_database: Callable[[], str],
) -> None:
    """The second worker finds the job gone, and goes on."""
    url = await asyncio.to_thread(migrated_database)
    async with open_consumer(url, nothing, nothing) as consumer:
        for _ in range(JOBS):
            await consumer.tasks["advance_run"].defer_async(run_id=str(uuid4()))
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


async def test_only_unclaimed_jobs_of_the_dead_are_put_back(
    service: Service, tenant: Tenant
) -> None:
    """Not those of a live worker, and not that of a claimed run, which counts as a loss."""
    place, dead, alive = Workplace(service, tenant), 931, 932
    waiting, claimed, other = [
        await place.start(customer=f"c-{n}", ticket=f"T-{n}") for n in range(3)
    ]
    async with service.sessions.begin() as session:
        assert await transitions.claim(session, claimed.id, dead) is not None
    url = direct_url(service.settings)
    connect = psycopg.AsyncConnection.connect
    async with await connect(url, autocommit=True) as living, await connect(url) as looking:
        await living.execute("SELECT pg_advisory_lock(%s)", [alive])
        for worker, jobs in ((dead, (waiting, claimed)), (alive, (other,))):
            await looking.execute(JOIN, [worker])
            for run in jobs:
                await looking.execute(TAKE, [worker, str(run.id)])
        await put_back(looking, 933)
        left = await looking.execute(
            "SELECT (args->>'run_id')::uuid FROM procrastinate_jobs"
            " WHERE worker_id IN (931, 932) AND status = 'doing'"
        )
        assert {row[0] for row in await left.fetchall()} == {claimed.id, other.id}
        await looking.rollback()
