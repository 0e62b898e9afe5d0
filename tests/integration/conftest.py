"""Runs without a worker: a row in the state a test needs, and the ports bound to it.

On a database of their own: a worker of another test would take these runs.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from app.db.core.connections import Sessions, make_engine, open_saver_pool
from app.db.tables.runs import Run
from app.execution.wiring import Service, open_service
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import NewRun
from app.settings import Settings
from tests.conftest import ENCRYPTION_KEY, Tenant, make_tenant
from tests.integration.claims import claim_one
from tests.integration.queued_runs import on_own_queue
from tests.integration.shop import Shop
from tools.ports import Caller

WORKER = 77


@pytest.fixture(scope="session")
def database_url(migrated_database: Callable[[], str]) -> str:
    """A migrated database without workers."""
    return migrated_database()


@pytest.fixture(scope="session")
async def sessions(database_url: str) -> AsyncIterator[Sessions]:
    """Sessions on it, and plain connections as the processes have them."""
    engine = make_engine(database_url, 5)
    async with open_saver_pool(database_url, 5) as pool:
        yield Sessions(engine, pool)
    await engine.dispose()


@pytest.fixture(scope="session")
async def service(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """The wired service on it, without API and worker."""
    async with open_service(settings_for(database_url, tmp_path_factory)) as opened:
        yield opened


def settings_for(database_url: str, folders: pytest.TempPathFactory) -> Settings:
    """Settings of a service on a database."""
    return Settings(
        _env_file=None,
        encryption_keys=[SecretStr(ENCRYPTION_KEY)],
        database_url=SecretStr(database_url),
        data_dir=Path(folders.mktemp("integration")),
    )


@pytest.fixture
async def tenant(sessions: Sessions, *, articles: bool) -> Tenant:
    """A tenant on it."""
    async with sessions.begin() as session:
        return await make_tenant(session, articles=articles)


Begin = Callable[..., Awaitable[Caller]]


@pytest.fixture
def begin(sessions: Sessions, tenant: Tenant) -> Begin:
    """Starts and claims a run, and answers on whose behalf it acts."""

    async def start(customer: str = "cus_max", ticket: str = "T-1", **values: Any) -> Caller:
        wanted = {"id": ticket, "subject": "s", "body": "b", "customer": {"id": customer}}
        key_id = tenant.starter.split("_")[1]
        async with sessions.begin() as session:
            new = NewRun(wanted, None, {})
            run = await start_and_cancel.start(session, tenant.id, key_id, new)
        async with sessions.begin() as session:
            claimed = await claim_one(session, run.id, WORKER)
            assert claimed is not None
            attempt = claimed.attempt
            if values:
                await session.execute(update(Run).where(Run.id == run.id).values(**values))
        return Caller(tenant.id, customer, ticket, run.id, attempt)

    return start


@pytest.fixture
def shop(sessions: Sessions, tenant: Tenant) -> Shop:
    """A tenant's conversations."""
    return Shop(sessions, tenant)


@pytest.fixture
async def own(
    migrated_database: Callable[[], str], settings: Settings
) -> AsyncIterator[tuple[Service, Tenant]]:
    """A database of the test's own, whose tables have no statistics: see `on_own_queue`."""
    async with on_own_queue(migrated_database, settings) as service_and_tenant:
        yield service_and_tenant
