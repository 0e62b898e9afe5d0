"""A pending run says what it waits for, as a claim would find it, and at which place."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, update

from app.db.core.connections import Sessions
from app.db.runs.queue_position import Place, queue_positions
from app.db.tables.runs import Run
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import NewRun
from tests.conftest import Tenant
from tests.integration.claims import claim_one

pytestmark = pytest.mark.no_articles

WORKER = 80


async def start(sessions: Sessions, tenant: Tenant, ticket: str, customer: str) -> Run:
    """A pending run."""
    wanted = {"id": ticket, "subject": "s", "body": "b", "customer": {"id": customer}}
    async with sessions.begin() as session:
        key_id = tenant.starter.split("_")[1]
        new = NewRun(wanted, None, {})
        return await start_and_cancel.start(session, tenant.id, key_id, new)


async def change(sessions: Sessions, run: Run, **values: Any) -> None:
    """Put the row into the state that the test needs."""
    async with sessions.begin() as session:
        await session.execute(update(Run).where(Run.id == run.id).values(**values))


async def test_every_reason_has_its_place(sessions: Sessions, tenant: Tenant) -> None:
    """One page, one query, all reasons."""
    running = await start(sessions, tenant, "T-0", "a")
    async with sessions.begin() as session:
        assert await claim_one(session, running.id, WORKER)
    later = func.now() + timedelta(hours=1)
    same_ticket = [await start(sessions, tenant, "T-0", "z") for _ in range(2)]
    same_customer = [await start(sessions, tenant, f"T-1{n}", "a") for n in range(2)]
    free = [await start(sessions, tenant, f"T-2{n}", f"f{n}") for n in range(2)]
    limited = [await start(sessions, tenant, f"T-3{n}", "l") for n in range(2)]
    for n, run in enumerate(limited):
        at = later + timedelta(seconds=n)
        await change(sessions, run, limited_by="customer", not_before=at)
    by_tenant = await start(sessions, tenant, "T-4", "t")
    await change(sessions, by_tenant, limited_by="tenant", not_before=later + timedelta(hours=1))
    again = await start(sessions, tenant, "T-5", "r")
    await change(sessions, again, started_at=func.now(), not_before=later)

    made = [running, *same_ticket, *same_customer, *free, *limited, by_tenant, again]
    async with sessions() as session:
        page = [await start_and_cancel.get(session, tenant.id, run.id) for run in made]
        found = await queue_positions(session, page, 1)
    assert running.id not in found
    assert [found[run.id] for run in same_ticket] == [Place("thread_busy", n) for n in (1, 2)]
    assert [found[run.id] for run in same_customer] == [Place("customer_busy", n) for n in (1, 2)]
    assert [found[run.id].reason for run in free] == ["workers_busy"] * 2
    assert found[free[1].id].position == found[free[0].id].position + 1
    assert [found[run.id] for run in limited] == [Place("customer_rate", n) for n in (1, 2)]
    assert found[by_tenant.id].reason == "tenant_rate"
    assert found[by_tenant.id].position == len(made) - 1
    assert found[again.id] == Place("backoff", 1)
