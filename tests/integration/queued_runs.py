"""Runs on a queue that no other test uses, and one look at it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select

from app.db.core.connections import Sessions
from app.db.tables.runs import Run
from app.execution.claim import Claimant, Turn, claim_next
from app.execution.wiring import Service, open_service
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import NewRun
from app.settings import Settings
from tests.acceptance.own_database import tenant_on
from tests.conftest import Tenant

WORKER = 71


@asynccontextmanager
async def opened(url: str, settings: Settings) -> AsyncIterator[Service]:
    """A service on that database."""
    there = settings.model_copy(update={"database_url": SecretStr(url)})
    async with open_service(there) as service:
        yield service


@asynccontextmanager
async def on_own_queue(
    migrated_database: Callable[[], str], settings: Settings
) -> AsyncIterator[tuple[Service, Tenant]]:
    """A service on a database whose queue no other test uses, and a tenant."""
    url = await asyncio.to_thread(migrated_database)
    tenant = await tenant_on(url, articles=False)
    async with opened(url, settings) as service:
        yield service, tenant


async def start(
    sessions: Sessions, tenant: Tenant, ticket: str, customer: str = "", **more: Any
) -> Run:
    """A new run; each ticket is of its own customer, if none is named."""
    wanted: dict[str, Any] = {"id": ticket, "subject": "s", "body": "b"}
    wanted["customer"] = {"id": customer or ticket}
    async with sessions.begin() as session:
        new = NewRun({**wanted, **more}, None, {})
        key_id = tenant.starter.split("_")[1]
        return await start_and_cancel.start(session, tenant.id, key_id, new)


async def take(sessions: Sessions, most: int = 4, per_customer: int = 1) -> Turn:
    """One look at the queue, as a worker does it."""
    return await claim_next(sessions, most, Claimant(WORKER, per_customer), lambda _runs: None)


async def queued(sessions: Sessions) -> set[UUID]:
    """The runs that are on the queue."""
    async with sessions() as session:
        return set(await session.scalars(select(Run.id).where(Run.queued_for.is_not(None))))
