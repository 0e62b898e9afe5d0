"""Credentials that end: shown, and said once in the log while they can still be changed."""

from datetime import UTC, datetime, timedelta

import pytest
import structlog
from sqlalchemy import update

from app.api.routes.connections import show
from app.db.core.connections import Sessions
from app.db.tables.connections import Connection
from app.execution.wiring import Service
from app.services.connections import check, manage
from app.services.connections.check import Reach
from app.services.connections.expiry import WARN_BEFORE, expires_soon
from app.worker.maintenance import warn_of_expiry
from tests.conftest import Tenant
from tests.integration.slow_desk import connected_desk
from tests.integration.workplace import Workplace

pytestmark = pytest.mark.no_articles

HOUR = timedelta(hours=1)


@pytest.fixture
async def row(sessions: Sessions, tenant: Tenant) -> Connection:
    """A connected desk."""
    return await connected_desk(sessions, tenant)


async def ends(sessions: Sessions, row: Connection, at: datetime | None) -> Connection:
    """The connection, whose system says that its credentials end then."""
    async with sessions.begin() as session:
        await session.execute(
            update(Connection).where(Connection.id == row.id).values(expires_at=at)
        )
        return await session.get_one(Connection, row.id, populate_existing=True)


async def alarms(service: Service, tenant: Tenant, row: Connection) -> list[str]:
    """What a round of maintenance says of the connection."""
    with structlog.testing.capture_logs() as logs:
        await warn_of_expiry(Workplace(service, tenant).runner())
    return [
        str(line["at"])
        for line in logs
        if line["event"] == "connection_expires" and line["connection"] == row.id
    ]


async def test_end_is_said_once_a_week_before(
    service: Service, tenant: Tenant, row: Connection
) -> None:
    """Not earlier, not twice; with new credentials once more."""
    soon = datetime.now(UTC) + WARN_BEFORE
    await ends(service.sessions, row, soon + HOUR)
    assert await alarms(service, tenant, row) == []
    await ends(service.sessions, row, soon - HOUR)
    assert await alarms(service, tenant, row) == [(soon - HOUR).isoformat()]
    assert await alarms(service, tenant, row) == []
    async with service.sessions.begin() as session:
        changed = await manage.change(session, service.vault, tenant.id, row.id, credentials={})
        assert (changed.expires_at, changed.expiry_warned_at) == (None, None)
    await ends(service.sessions, row, soon - HOUR)
    assert len(await alarms(service, tenant, row)) == 1


async def test_removed_connection_ends_nothing(
    service: Service, tenant: Tenant, row: Connection
) -> None:
    """Its credentials are gone already."""
    await ends(service.sessions, row, datetime.now(UTC))
    async with service.sessions.begin() as session:
        await manage.remove(session, tenant.id, row.id)
    assert await alarms(service, tenant, row) == []


@pytest.mark.parametrize(
    ("left", "soon"),
    [(None, False), (WARN_BEFORE + HOUR, False), (WARN_BEFORE - HOUR, True), (-HOUR, True)],
)
async def test_end_is_shown(
    service: Service, tenant: Tenant, row: Connection, left: timedelta | None, soon: bool
) -> None:
    """In the API's view and among the checks; nothing where the system does not say it."""
    at = None if left is None else datetime.now(UTC) + left
    known = await ends(service.sessions, row, at)
    view = show(known)
    assert (view.expires_at, view.expires_soon) == (at, soon)
    assert expires_soon(known) == soon
    reach = Reach(service.http, service.vault)
    checks = await check.test_connection(service.sessions, reach, tenant.id, row.id)
    found = [one.ok for one in checks if one.name == "credentials"]
    assert found == ([] if left is None else [not soon])
