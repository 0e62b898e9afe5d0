"""Rates on a real Postgres: what GCRA promises, to any number that ask at the same time."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.connections import Sessions
from app.db.tables.runs import Message, Rate, Run
from app.db.tenants import rate_limit
from app.db.tenants.queries import add_policy
from app.errors import IdempotencyMismatchError
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import NewRun
from graphs.policy_limits import Rates
from tests.conftest import Tenant

pytestmark = pytest.mark.no_articles

# So far ahead that the database's own clock never counts.
EPOCH = datetime(2100, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def wanted(ticket: str = "T-1", customer: str = "c", key: str | None = None) -> NewRun:
    """A message of that customer."""
    body = {"id": ticket, "subject": "s", "body": "b", "customer": {"id": customer}}
    return NewRun(body, key, {})


async def start(sessions: Sessions, tenant: Tenant, new: NewRun) -> Run:
    """Start it as the API does, where each statement stands alone."""
    async with sessions.raw_connection() as connection:
        key_id = tenant.starter.split("_")[1]
        return await start_and_cancel.start(connection, tenant.id, key_id, new)


async def limit(sessions: Sessions, tenant: Tenant, **values: Any) -> Rates:
    """Give the tenant these rates."""
    async with sessions.begin() as session:
        await add_policy(session, tenant.id, 1, {"rates": values}, "test")
    return Rates(**values)


async def tats(session: AsyncSession, tenant: Tenant) -> dict[str, datetime]:
    """The tenant's rows."""
    rows = await session.scalars(select(Rate).where(Rate.tenant_id == tenant.id))
    return {row.scope: row.tat for row in rows}


def most_in(window: timedelta, times: list[datetime]) -> int:
    """How many of the times lie in the fullest half-open window of that length."""
    return max(sum(begin <= t < begin + window for t in times) for begin in times)


@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    gaps=st.lists(st.integers(0, 20_000), min_size=1, max_size=25),
    per_minute=st.integers(1, 600),
    burst=st.integers(1, 8),
)
async def test_no_window_holds_more_than_burst_and_rate(
    sessions: Sessions, tenant: Tenant, gaps: list[int], per_minute: int, burst: int
) -> None:
    """In any stretch of time t at most burst + rate * t runs start, in order, none too late."""
    asked, starts, arrival = [], [], EPOCH
    async with sessions() as session:
        for gap in gaps:
            arrival += timedelta(milliseconds=gap)
            asked.append(arrival)
            slot = await rate_limit.spend(session, tenant.id, "x", per_minute, burst, arrival)
            assert slot.waits == (slot.start > arrival)
            starts.append(slot.start)
        await session.rollback()
    step = MINUTE / per_minute
    assert starts == sorted(starts)
    assert starts[:burst] == asked[:burst]
    for steps in range(1, len(starts) + 1):
        assert most_in(step * steps, starts) <= burst + steps
    for number in range(burst, len(starts)):
        # No run waits longer than until the run `burst` places before has been paid for.
        assert starts[number] <= max(asked[number], starts[number - 1] + step)


async def test_parallel_starts_share_one_rate(sessions: Sessions, tenant: Tenant) -> None:
    """Of twenty at once exactly the burst may go now; the others follow one by one, in order."""
    await limit(sessions, tenant, customer_per_minute=6, customer_burst=5)
    runs = await asyncio.gather(
        *[start(sessions, tenant, wanted(f"T-{n}")) for n in range(20)]
    )  # fmt: skip
    in_order = sorted(runs, key=lambda run: run.seq)
    times = [run.not_before for run in in_order]
    assert times == sorted(times)
    assert [run.limited_by for run in in_order] == [None] * 5 + ["customer"] * 15
    gaps = [after - before for before, after in pairwise(times[5:])]
    assert gaps == [timedelta(seconds=10)] * 14


async def test_the_later_of_both_rates_counts(sessions: Sessions, tenant: Tenant) -> None:
    """Customers side by side wait for the tenant, a customer alone for themselves."""
    await limit(
        sessions, tenant, customer_per_minute=1, customer_burst=2,
        tenant_per_minute=60, tenant_burst=4,
    )  # fmt: skip
    mine = [await start(sessions, tenant, wanted(f"T-{n}", "a")) for n in range(3)]
    others = await asyncio.gather(
        *[start(sessions, tenant, wanted(f"T-{n}", f"b{n}")) for n in range(6)]
    )
    assert [run.limited_by for run in mine] == [None, None, "customer"]
    assert sorted(run.limited_by or "" for run in others) == ["", *["tenant"] * 5]
    other = await start(sessions, tenant, wanted("T-x", "z"))
    assert mine[2].not_before > other.not_before


async def test_customers_and_tenant_rows_never_deadlock(sessions: Sessions, tenant: Tenant) -> None:
    """Thirty starts of three customers under one tenant rate all succeed."""
    await limit(sessions, tenant, tenant_per_minute=6000, tenant_burst=10)
    waves = [start(sessions, tenant, wanted(f"T-{n}", f"c{n % 3}", f"k{n}")) for n in range(30)]
    repeats = [start(sessions, tenant, wanted(f"T-{n}", f"c{n % 3}", f"k{n}")) for n in range(30)]
    done = await asyncio.wait_for(asyncio.gather(*waves, *repeats), 30)
    assert len({run.id for run in done}) == 30


async def test_a_repeat_spends_nothing(sessions: Sessions, tenant: Tenant) -> None:
    """The same Idempotency-Key, repeated or used for something else, leaves both rates alone."""
    await limit(sessions, tenant, tenant_per_minute=1)
    first = await start(sessions, tenant, wanted(key="k"))
    async with sessions() as session:
        before = await tats(session, tenant)
    assert set(before) == {"tenant", "customer:c"}
    assert (await start(sessions, tenant, wanted(key="k"))).id == first.id
    with pytest.raises(IdempotencyMismatchError):
        await start(sessions, tenant, wanted("T-2", key="k"))
    async with sessions() as session:
        assert await tats(session, tenant) == before


async def test_repeats_of_one_instant_spend_once(sessions: Sessions, tenant: Tenant) -> None:
    """Five requests under one key at once, two of them with another body: one run, one step."""
    await limit(sessions, tenant, customer_per_minute=1, customer_burst=1)
    same, other = wanted(key="k"), wanted("T-2", key="k")
    made = await asyncio.gather(
        *[start(sessions, tenant, new) for new in (same, same, same, other, other)],
        return_exceptions=True,
    )
    runs = [run for run in made if isinstance(run, Run)]
    refused = [error for error in made if isinstance(error, IdempotencyMismatchError)]
    assert (len({run.id for run in runs}), len(runs) + len(refused)) == (1, 5)
    async with sessions() as session:
        [tat] = (await tats(session, tenant)).values()
    assert tat - runs[0].not_before <= timedelta(minutes=1)


async def test_only_rows_of_the_past_are_forgotten(sessions: Sessions, tenant: Tenant) -> None:
    """A row that still makes a customer wait stays."""
    await start(sessions, tenant, wanted(customer="now"))
    await start(sessions, tenant, wanted(customer="past"))
    async with sessions.begin() as session:
        old = update(Rate).where(Rate.tenant_id == tenant.id, Rate.scope == "customer:past")
        await session.execute(old.values(tat=func.now() - timedelta(minutes=2)))
    async with sessions.begin() as session:
        await rate_limit.prune(session, 10_000)
        assert set(await tats(session, tenant)) == {"customer:now"}


async def test_a_run_over_the_rate_is_stored_whole(sessions: Sessions, tenant: Tenant) -> None:
    """It waits, but its message is there and it is queued for exactly its time."""
    await limit(sessions, tenant, customer_per_minute=1, customer_burst=1)
    await start(sessions, tenant, wanted())
    late = await start(sessions, tenant, wanted())
    async with sessions() as session:
        message = select(func.count()).where(Message.run_id == late.id)
        assert await session.scalar(message) == 1
        queued = select(Run.queued_for).where(Run.id == late.id)
        assert await session.scalar(queued) == late.not_before
