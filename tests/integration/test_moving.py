"""A tenant moves into another database in the middle of an approval."""

import asyncio
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from app.db.runs.queue import enqueue_run
from app.db.tables.events import Event
from app.execution.wiring import Service, open_service
from app.services.tenants.pause import pause, unpause
from tests.conftest import Tenant, make_tenant
from tests.integration.moving import move
from tests.integration.workplace import Workplace

HOURS = "What are your opening hours?"


@pytest.fixture
async def elsewhere(
    service: Service, migrated_database: Callable[[], str]
) -> AsyncIterator[Service]:
    """The service on another database, where another tenant has used the same numbers."""
    url = SecretStr(await asyncio.to_thread(migrated_database))
    async with open_service(service.settings.model_copy(update={"database_url": url})) as opened:
        async with opened.sessions.begin() as session:
            place = Workplace(opened, await make_tenant(session))
        await place.advance(await place.start(HOURS))
        yield opened


def url_of(service: Service) -> str:
    """The service's database."""
    assert service.settings.database_url is not None
    return service.settings.database_url.get_secret_value()


async def hook_types(place: Workplace) -> list[str]:
    """The tenant's events in the order of their stream."""
    query = select(Event.type).where(Event.tenant_id == place.tenant.id)
    async with place.service.sessions() as session:
        return list(await session.scalars(query.order_by(Event.txid, Event.seq)))


async def test_moved_tenant_goes_on_where_it_was_and_acts_once(
    service: Service, elsewhere: Service, tenant: Tenant
) -> None:
    """Paused, copied, decided in both: the refund happens in the new database alone, and once.

    Conversations, articles, numbers and the order of events are those of before.
    """
    old, new = Workplace(service, tenant), Workplace(elsewhere, tenant)
    answered = await old.advance(await old.start(HOURS, "cus_lou", "T-2"))
    waiting = await old.advance(await old.start())
    assert (answered.status, waiting.status) == ("success", "interrupted")
    async with service.sessions.begin() as session:
        await pause(session, tenant.id, "test")
    before = await hook_types(old)
    with psycopg.connect(url_of(service)) as here, psycopg.connect(url_of(elsewhere)) as there:
        move(here, there, tenant.id)
        there.execute("INSERT INTO pauses VALUES (%s, now(), 'test')", [tenant.id])

    assert await hook_types(new) == before
    counts = [await place.effects() for place in (old, new)]
    assert counts[0] == counts[1]
    assert (await old.decide(waiting)).status == "pending", "the old one stays paused"
    assert (await new.decide(waiting)).status == "pending"
    async with elsewhere.sessions.begin() as session:
        assert await unpause(session, enqueue_run, tenant.id) == 1
    acted = await new.advance(waiting)
    assert (acted.status, acted.outcome) == ("success", "acted")
    assert [await place.count("sandbox_refunds") for place in (old, new)] == [0, 1]
    again = await new.advance(await new.start(HOURS, "cus_lou", "T-2"))
    assert again.status == "success", "articles and the conversation are found"
    assert again.seq > acted.seq > (await new.run(answered.id)).seq > answered.seq
