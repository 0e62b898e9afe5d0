"""An open event stream ends with its key, and a tenant has only so many of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from app.api.streaming.event_broadcaster import END, PAGE, RETRY, EventBroadcaster
from app.api.streaming.event_subscription import EventSubscription
from app.db.core.connections import Sessions
from app.db.tables.events import Position
from app.db.tenants import queries as tenant_queries
from app.execution.wiring import Service
from tests.conftest import Tenant, make_tenant
from tests.integration.api import PATIENCE_SECONDS, caller, serving_api

pytestmark = pytest.mark.no_articles

LIMIT = 2
EVENTS = text(
    "INSERT INTO events (tenant_id, run_id, type, data)"
    " SELECT :tenant, gen_random_uuid(), 'run.created', '{}' FROM generate_series(1, :count)"
)


async def revoke(sessions: Sessions, tenant: Tenant) -> None:
    """Make the starter's key worthless."""
    async with sessions.begin() as session:
        assert await tenant_queries.revoke_key(session, tenant.id, tenant.starter.split("_")[1])


def subscription_of(tenant: Tenant) -> EventSubscription:
    """What a stream of the starter's key is."""
    return EventSubscription(tenant.id, tenant.starter.split("_")[1])


async def test_idle_stream_of_a_revoked_key_ends(sessions: Sessions, tenant: Tenant) -> None:
    """Soon after, without `end`, so that its reader comes again and is refused."""
    stream = EventBroadcaster(sessions, LIMIT).stream(subscription_of(tenant), Position(2**62, 0))
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await anext(stream) == RETRY
        rest = asyncio.create_task(anext(stream))
        await asyncio.sleep(0)
        await revoke(sessions, tenant)
        assert await rest == RETRY
        assert [chunk async for chunk in stream] == []


async def test_stream_of_a_revoked_key_tells_no_more_of_the_past(
    sessions: Sessions, tenant: Tenant
) -> None:
    """A reader that is still at what was stored gets the page that was read, and no other."""
    async with sessions.begin() as session:
        await session.execute(EVENTS, {"tenant": tenant.id, "count": 3 * PAGE})
    subscription = subscription_of(tenant)
    stream = EventBroadcaster(sessions, LIMIT).stream(subscription, Position(0, 0))
    async with asyncio.timeout(PATIENCE_SECONDS):
        first = [await anext(stream), await anext(stream)]
        await revoke(sessions, tenant)
        while not subscription.closed:  # noqa: ASYNC110  # closing notifies no task
            await asyncio.sleep(0.02)
        chunks = first + [chunk async for chunk in stream]
    assert sum(chunk.startswith(b"id: ") for chunk in chunks) == PAGE
    assert END not in chunks


@pytest.fixture
async def url(service: Service) -> AsyncIterator[str]:
    """An API whose tenants may have two streams each."""
    async with serving_api(service, streams_per_tenant=LIMIT) as url:
        yield url


async def test_tenant_has_only_so_many_streams_open(
    sessions: Sessions, tenant: Tenant, url: str
) -> None:
    """One more is refused and asked to come again; others have their own, and places return."""
    async with sessions.begin() as session:
        other = await make_tenant(session, articles=False)
    mine, theirs = caller(url, tenant.starter), caller(url, other.starter)
    async with mine, theirs:
        async with AsyncExitStack() as open_streams:
            for client in (mine, mine, theirs):
                answer = await open_streams.enter_async_context(client.stream("GET", "/v1/events"))
                assert answer.status_code == 200
            refused = await mine.get("/v1/events")
            assert (refused.status_code, refused.json()["code"]) == (429, "too-many-streams")
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert int(refused.headers["Retry-After"]) >= 1
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                async with mine.stream("GET", "/v1/events") as answer:
                    if answer.status_code == 200:
                        break
