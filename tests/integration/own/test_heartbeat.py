"""A worker's watch is held up by nothing: not by a slow sweep, a locked row or a long list."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import func, insert, select, text

from app.db.runs import queries as run_queries
from app.db.tables.runs import Run, Worker
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from app.worker.consumer import open_consumer
from app.worker.heartbeat import BATCH, recover_orphans, run_heartbeat
from app.worker.maintenance import run_maintenance
from tests.conftest import Tenant
from tests.integration.claims import claim_one
from tests.integration.workplace import Workplace

pytestmark = pytest.mark.no_articles

# Ends a test that hangs; no measurement, since other programs may have the processor.
PATIENCE_SECONDS = 60
WAITS_FOR_A_ROW = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
)


@pytest.fixture
def place(service: Service, tenant: Tenant) -> Workplace:
    """A tenant whose runs a test advances."""
    return Workplace(service, tenant)


async def claimed(place: Workplace, worker: int, count: int = 1) -> list[Run]:
    """Runs that the worker holds."""
    held = []
    for number in range(count):
        run = await place.start(ticket=f"T-{worker}-{number}", customer=f"c-{worker}-{number}")
        async with place.service.sessions.begin() as session:
            claim = await claim_one(session, run.id, worker)
        assert claim is not None
        held.append(claim)
    return held


async def statuses(place: Workplace, held: list[Run]) -> list[str]:
    """How the runs stand now, oldest first."""
    query = select(Run.status).where(Run.id.in_([run.id for run in held])).order_by(Run.seq)
    async with place.service.sessions() as session:
        return list(await session.scalars(query))


async def all_pending(place: Workplace, held: list[Run]) -> bool:
    """Whether all of them wait for a worker."""
    return set(await statuses(place, held)) == {RunStatus.PENDING}


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait for it."""
    while not await condition():  # noqa: ASYNC110  # the database does not notify
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def watched(place: Workplace, database_url: SecretStr, worker: int) -> AsyncIterator[None]:
    """The watch and the sweeps of a worker that takes no jobs."""
    runner, stop = place.runner(worker), asyncio.Event()
    async with open_consumer(
        database_url.get_secret_value(), runner.advance, runner.summarize
    ) as queue:
        tasks = [
            asyncio.create_task(run_heartbeat(runner)),
            asyncio.create_task(run_maintenance(runner, queue, stop)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_sweep_that_stands_still_holds_up_no_rescue(
    place: Workplace, service: Service
) -> None:
    """While a sweep waits for a lock, the runs of a worker that dies then are brought back."""
    database_url = service.settings.database_url
    assert database_url is not None
    old = func.now() - timedelta(days=2)
    async with service.sessions.begin() as session:
        await session.execute(insert(Worker).values(id=911, beat_at=old))
    async with service.sessions() as holder:
        # The sweep that forgets old leases waits for this one.
        await holder.execute(select(Worker).where(Worker.id == 911).with_for_update())
        async with watched(place, database_url, 912), asyncio.timeout(PATIENCE_SECONDS):
            await until(lambda: holder.scalar(WAITS_FOR_A_ROW))
            lost = await claimed(place, 913)
            await until(lambda: all_pending(place, lost))
            assert await holder.scalar(WAITS_FOR_A_ROW), "the sweep stands still all the same"


async def test_look_at_own_runs_waits_for_no_lock(place: Workplace) -> None:
    """A row that a caller has locked, to cancel it for one, delays nothing."""
    [run] = await claimed(place, 914)
    runner = place.runner(914)
    runner.mine[run.id] += 1
    async with place.service.sessions() as caller:
        await run_queries.get_run(caller, run.tenant_id, run.id, lock=True)
        async with (
            asyncio.timeout(PATIENCE_SECONDS),
            place.service.sessions.raw_connection() as liveness,
        ):
            await recover_orphans(runner, liveness)
    assert await statuses(place, [run]) == [RunStatus.RUNNING]
    runner.mine.clear()
    async with place.service.sessions.raw_connection() as liveness:
        while await recover_orphans(runner, liveness):
            pass
    assert await statuses(place, [run]) == [RunStatus.PENDING], "an orphan is brought back"


async def test_first_runs_of_a_dead_worker_do_not_wait_for_its_last(place: Workplace) -> None:
    """A batch at a time, each committed, the oldest runs first; in the end all of them."""
    held = await claimed(place, 915, 2 * BATCH + 1)
    async with place.service.sessions.raw_connection() as liveness:
        await recover_orphans(place.runner(916), liveness)
        assert await statuses(place, held) == ["pending"] * BATCH + ["running"] * (BATCH + 1)
        while await recover_orphans(place.runner(916), liveness):
            pass
    assert await all_pending(place, held)
