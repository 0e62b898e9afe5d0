"""Requests that wait for a run are woken together, by one query a tick."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from psycopg_pool import PoolTimeout
from pydantic import SecretStr
from sqlalchemy import update

from app.api.streaming.run_waiter import LONG_TICK_SECONDS, TICK_SECONDS, RunWaiter
from app.db.core.availability import is_unavailable
from app.db.core.compiled import RawConnection
from app.db.core.connections import SaverPool, Sessions, SteadyPool, open_saver_pool
from app.db.runs.notify import RunNotifier
from app.db.tables.runs import Run
from app.lifecycle import RunStatus
from app.settings import Settings
from tests.integration.conftest import Begin
from tools.ports import Caller

pytestmark = pytest.mark.no_articles


class Looks(Sessions):
    """Counts what is read."""

    taken = 0

    @asynccontextmanager
    async def raw_connection(self) -> AsyncIterator[RawConnection]:
        """See Sessions."""
        self.taken += 1
        async with super().raw_connection() as connection:
            yield connection


async def test_many_who_wait_cost_one_query_a_tick(
    sessions: Sessions, begin: Begin, database_url: str
) -> None:
    """Sixty-four requests for three runs: each is woken when its own run rests, not before."""
    callers = [await begin(ticket=f"T-{n}", customer=f"c{n}") for n in range(3)]
    async with open_saver_pool(database_url, 2) as pool:
        await _expect_one_query_a_tick(sessions, callers, Looks(pool=pool))


async def _expect_one_query_a_tick(sessions: Sessions, callers: list[Caller], looks: Looks) -> None:
    watch = RunWaiter(looks)
    began = time.monotonic()
    waiting = [asyncio.create_task(watch.wait(callers[n % 3].run_id, 30)) for n in range(64)]
    for n, caller in enumerate(callers):
        await asyncio.sleep(0.1)
        assert not any(task.done() for task in waiting[n::3])
        async with sessions.begin() as session:
            paused = update(Run).where(Run.id == caller.run_id)
            await session.execute(paused.values(status=RunStatus.INTERRUPTED))
        await asyncio.wait(waiting[n::3], timeout=5)
        assert all(task.done() for task in waiting[n::3])
    assert 0 < looks.taken <= (time.monotonic() - began) / TICK_SECONDS + 1


async def test_waiting_ends_with_its_time_and_costs_nothing_afterwards(
    sessions: Sessions, begin: Begin
) -> None:
    """A run that goes on is waited for as long as asked; then no query looks at it."""
    caller = await begin()
    watch = RunWaiter(sessions)
    await watch.wait(caller.run_id, 0.05)
    await asyncio.sleep(LONG_TICK_SECONDS * 2)
    assert not watch._waiting
    assert watch._task is not None
    assert watch._task.done()
    await watch.wait(uuid4(), 30)  # nothing to wait for


async def test_database_that_is_away_ends_all_waits() -> None:
    """Each gets the error that is answered with a 503, long before the time that it would wait."""
    pool: SaverPool = SteadyPool("postgresql://unknown@127.0.0.1:9/none", min_size=1, open=False)
    async with pool:
        watch = RunWaiter(Sessions(pool=pool))
        with pytest.raises(PoolTimeout) as refused:
            await watch.wait(uuid4(), 30)
    assert is_unavailable(refused.value)


async def test_notification_wakes_before_the_next_poll(
    sessions: Sessions, begin: Begin, database_url: str
) -> None:
    """Who waits for a run that a worker notifies of is woken at once, and no other is."""
    rested, moving = await begin(ticket="T-1", customer="c1"), await begin(ticket="T-2")
    settings = Settings(_env_file=None, database_url=SecretStr(database_url))
    watch = RunWaiter(sessions, settings)
    async with open_saver_pool(database_url, 1) as pool:
        notifier = RunNotifier(pool)
        waiting = asyncio.create_task(watch.wait(rested.run_id, 30))
        other = asyncio.create_task(watch.wait(moving.run_id, 30))
        while not waiting.done():
            # The run still runs by its row, so only the notifier can tell.
            notifier.publish(rested.run_id)
            await asyncio.sleep(0.01)
    assert not other.done()
    other.cancel()
    watch.close()
