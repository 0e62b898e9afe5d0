"""The queue of runs: taken in order, within the limits, at the same cost however long it is."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app.db.core.compiled import RawConnection
from app.db.core.connections import direct_connection, direct_url
from app.db.runs import queue, transitions
from app.db.runs.queue import enqueue_run, listen
from app.db.runs.transitions import Ending
from app.db.tables.runs import Run
from app.execution.claim import queue_followers
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from app.services.tenants import pause
from app.settings import Settings
from tests.acceptance.own_database import tenant_on
from tests.conftest import Tenant
from tests.integration.queued_runs import opened, queued, start, take

pytestmark = pytest.mark.no_articles

PATIENCE_SECONDS = 20
BURST = 10_000
# Rows of the queue, as a burst of one tenant leaves them: each of a ticket and customer of its own.
FILL = """
INSERT INTO runs (id, tenant_id, thread_id, ticket_id, customer_id, ticket, policy_version,
    started_by, request_sha256, queued_for)
SELECT gen_random_uuid(), %s, gen_random_uuid(), 'B-' || n, 'c-' || n, '{}', 1, %s, '',
    now() - interval '1 minute'
FROM generate_series(1, %s) AS n"""
READ: LiteralString = """
SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
FROM pg_stat_user_tables WHERE relname = 'runs'"""
OTHERS: LiteralString = """
SELECT 1 FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


async def test_oldest_are_taken_first_and_only_once(own: tuple[Service, Tenant]) -> None:
    """Workers that look at the same time get different runs, together the oldest."""
    service, tenant = own
    made = [await start(service.sessions, tenant, f"T-{n}") for n in range(10)]
    turns = await asyncio.gather(*[take(service.sessions, 2) for _ in range(4)])
    taken = [run.id for turn in turns for run in turn.claimed]
    assert sorted(taken) == sorted({run.id for run in made[:8]})
    assert all(turn.full for turn in turns)
    last = await take(service.sessions)
    assert [run.id for run in last.claimed] == [run.id for run in made[8:]]
    assert not last.full
    assert not await queued(service.sessions)


async def test_one_look_keeps_the_limit_of_a_customer(own: tuple[Service, Tenant]) -> None:
    """What is over it leaves the queue, so that others pass, and returns at the end of a run."""
    service, tenant = own
    made = [await start(service.sessions, tenant, f"T-{n}", "flood") for n in range(4)]
    other = await start(service.sessions, tenant, "T-q", "quiet")
    first = await take(service.sessions, 4, per_customer=2)
    assert [run.id for run in first.claimed] == [run.id for run in made[:2]]
    assert [run.id for run in (await take(service.sessions, 4, 2)).claimed] == [other.id]
    assert not await queued(service.sessions)
    async with service.sessions.begin() as session:
        assert await transitions.settle(session, made[0].id, 1, Ending(RunStatus.SUCCESS))
    async with service.sessions.begin() as session:
        await queue_followers(session, enqueue_run, [made[2].id])
    assert [run.id for run in (await take(service.sessions, 4, 2)).claimed] == [made[2].id]


async def test_two_runs_of_one_customer_are_never_claimed_side_by_side(
    own: tuple[Service, Tenant],
) -> None:
    """However many workers look at once, and in whatever order they meet the customers."""
    service, tenant = own
    for number in range(60):
        await start(service.sessions, tenant, f"T-{number}", f"c-{number % 6}")
    async with asyncio.timeout(PATIENCE_SECONDS):
        turns = await asyncio.gather(*[take(service.sessions, 7) for _ in range(12)])
    customers = [run.customer_id for turn in turns for run in turn.claimed]
    assert sorted(customers) == sorted(set(customers)) == [f"c-{n}" for n in range(6)]


async def test_followed_run_stays_on_the_queue_until_it_is_claimed(
    own: tuple[Service, Tenant],
) -> None:
    """A worker that dies before it has absorbed the newer messages loses nothing."""
    service, tenant = own
    first = await start(service.sessions, tenant, "T-1")
    second = await start(service.sessions, tenant, "T-1")
    turn = await take(service.sessions, 1)
    assert (turn.claimed, turn.followed) == ([], [first.id])
    assert await queued(service.sessions) == {first.id, second.id}


async def test_enqueueing_waits_for_the_look_that_refuses(own: tuple[Service, Tenant]) -> None:
    """What a refused run waited for ends meanwhile: it is put on again after it was taken off."""
    service, tenant = own
    sessions = service.sessions
    run = await start(sessions, tenant, "T-1")
    async with sessions.raw_connection() as connection:
        async with connection.transaction():
            [picked] = await queue.pick(connection, 4)

            async def follow() -> None:
                async with sessions.begin() as session:
                    await enqueue_run(session, run.id, None)

            following = asyncio.create_task(follow())
            done, _ = await asyncio.wait([following], timeout=0.3)
            assert not done, "it waits for the look"
            await queue.take_off(connection, [picked.id])
        await following
    assert await queued(sessions) == {run.id}


async def test_end_of_a_pause_waits_for_the_look_that_refuses(own: tuple[Service, Tenant]) -> None:
    """Many looks at the queue while switches turn: in the end each run is claimed or queued."""
    service, tenant = own
    sessions = service.sessions

    async def switch(*, on: bool) -> None:
        async with sessions.begin() as session:
            if on:
                await pause.pause(session, tenant.id, "test")
            else:
                await pause.unpause(session, enqueue_run, tenant.id)

    for number in range(30):
        await start(sessions, tenant, f"T-{number}")
    claimed: list[UUID] = []
    for _ in range(8):
        await switch(on=True)
        turns = await asyncio.gather(
            take(sessions, 3), switch(on=False), take(sessions, 3), take(sessions, 2)
        )
        claimed += [run.id for turn in turns if turn for run in turn.claimed]
    left = await queued(sessions)
    assert len(claimed) + len(left) == 30
    assert not left & set(claimed)


async def test_end_of_a_pause_queues_what_became_due_meanwhile(
    own: tuple[Service, Tenant],
) -> None:
    """A look refuses a run that is due after the switch's transaction began: it is not left."""
    service, tenant = own
    sessions = service.sessions
    async with sessions.begin() as session:
        await pause.pause(session, tenant.id, "test")
    run = await start(sessions, tenant, "T-1")
    async with sessions.begin() as session:
        soon = func.clock_timestamp() + timedelta(seconds=0.2)
        later = update(Run).where(Run.id == run.id).values(not_before=soon, queued_for=soon)
        await session.execute(later)
    async with sessions.begin() as session:
        await session.execute(select(func.now()))
        while await queued(sessions):
            assert not (await take(sessions)).claimed
        assert await pause.unpause(session, enqueue_run, tenant.id) == 1
    assert await queued(sessions) == {run.id}


async def test_looks_at_a_long_queue_do_not_read_it(
    migrated_database: Callable[[], str], settings: Settings
) -> None:
    """A connection that knew the queue empty takes from 10,000 runs without reading them."""
    url = await asyncio.to_thread(migrated_database)
    tenant = await tenant_on(url, articles=False)
    async with opened(url, settings) as service:
        for _ in range(8):
            assert not (await take(service.sessions)).claimed
        async with direct_connection(url) as other:
            await other.execute(FILL, [tenant.id, tenant.starter.split("_")[1], BURST])
            [before] = await rows(other, READ)
        turns = [await take(service.sessions) for _ in range(10)]
        assert sum(len(turn.claimed) for turn in turns) == 40
    async with direct_connection(url) as other:
        # A session that has ended has reported what it read.
        while await rows(other, OTHERS):  # noqa: ASYNC110  # the database does not notify
            await asyncio.sleep(0.02)
        [after] = await rows(other, READ)
    assert after - before < BURST


async def test_start_of_a_run_wakes_idle_workers_alone(own: tuple[Service, Tenant]) -> None:
    """One notification for a run that finds the queue idle, none beside runs that wait long."""
    service, tenant = own
    sessions = service.sessions
    heard = 0

    async def hear() -> None:
        nonlocal heard
        async for _ in listen(direct_url(service.settings)):
            heard += 1

    async def until(count: int) -> None:
        while heard < count:  # noqa: ASYNC110  # a generator has no event
            await asyncio.sleep(0.01)

    hearing = asyncio.create_task(hear())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await until(1)
        first = await start(sessions, tenant, "T-1")
        await until(2)
        async with sessions.begin() as session:
            old = func.now() - timedelta(seconds=2)
            await session.execute(update(Run).where(Run.id == first.id).values(queued_for=old))
        await start(sessions, tenant, "T-2")
        assert len((await take(sessions)).claimed) == 2
        await start(sessions, tenant, "T-3")
        await until(3)
    hearing.cancel()
    assert heard == 3


async def rows(connection: RawConnection, sql: LiteralString) -> list[Any]:
    """The first column of a query."""
    found = await connection.execute(sql)
    return [row[0] for row in await found.fetchall()]
