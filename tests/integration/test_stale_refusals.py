"""A call that began with the old credentials, and is refused after the change, pauses nothing."""

from typing import Any

import pytest

from app.db.core.connections import Sessions
from app.db.tables.connections import Connection
from app.execution.wiring import Service
from app.services.connections import manage
from app.services.connections.pausing import pause_connection
from tests.conftest import Tenant
from tests.integration.slow_desk import connected_desk

pytestmark = pytest.mark.no_articles


async def paused(sessions: Sessions, row: Connection) -> bool:
    """Whether nothing is sent there, as the database says."""
    async with sessions() as session:
        return (await session.get_one(Connection, row.id)).paused_because is not None


@pytest.mark.parametrize("changed", ["credentials", "settings"])
async def test_refusal_of_what_was_changed_since_does_not_count(
    service: Service, tenant: Tenant, changed: str
) -> None:
    """What waits goes on with what is stored now, and that is refused or not."""
    sessions = service.sessions
    used = await connected_desk(sessions, tenant)
    async with sessions.begin() as session:
        stored = await manage.get(session, tenant.id, used.id)
        values = {**stored.settings, "url": "https://desk.example/other"}
        what: dict[str, Any] = {changed: {} if changed == "credentials" else values}
        await manage.change(session, service.vault, tenant.id, used.id, **what)
        await session.flush()
        await session.refresh(stored)
        now = stored
    await pause_connection(sessions, used, "refused")
    assert not await paused(sessions, used)
    await pause_connection(sessions, now, "refused")
    assert await paused(sessions, used)
