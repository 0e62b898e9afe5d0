"""Runs without a worker: a row in the state a test needs, and the ports bound to it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import update

from app import runs as run_cases
from app.db import runs
from app.db.engine import Sessions
from app.db.tables import Run
from app.runs import NewRun
from app.worker.queue import enqueue_run
from tests.conftest import Tenant
from tools.ports import Caller

WORKER = 77

Begin = Callable[..., Awaitable[Caller]]


@pytest.fixture
def begin(sessions: Sessions, tenant: Tenant) -> Begin:
    """Starts and claims a run, and answers on whose behalf it acts."""

    async def start(customer: str = "cus_max", ticket: str = "T-1", **values: Any) -> Caller:
        wanted = {"id": ticket, "subject": "s", "body": "b", "customer": {"id": customer}}
        key_id = tenant.starter.split("_")[1]
        async with sessions.begin() as session:
            new = NewRun(wanted, None, {})
            run = await run_cases.start(session, enqueue_run, tenant.id, key_id, new)
        async with sessions.begin() as session:
            claimed = await runs.claim(session, run.id, WORKER)
            assert claimed is not None
            attempt = claimed.attempt
            if values:
                await session.execute(update(Run).where(Run.id == run.id).values(**values))
        return Caller(tenant.id, customer, ticket, run.id, attempt)

    return start
