"""Use cases of webhook endpoints: where a tenant's chosen events go. They never commit."""

import json
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.tables.webhooks import Callback, WebhookEndpoint
from app.db.tenants.queries import lock_policy
from app.db.webhooks import endpoints
from app.db.webhooks import queries as webhook_queries
from app.errors import InvalidRequestError, NotFoundError
from app.services.webhooks.signing_secrets import ensure_secret

MAX_ENDPOINTS = 16
TEST_EVENT = "webhook.test"


async def add(
    session: AsyncSession, tenant_id: str, url: str, events: list[str]
) -> WebhookEndpoint:
    """Send these events there from the commit on, signed with the tenant's secrets.

    Raises:
        InvalidRequestError: the tenant has this URL already, or as many endpoints as it may.
    """
    await lock_policy(session, tenant_id)
    if await endpoints.count_endpoints(session, tenant_id) >= MAX_ENDPOINTS:
        raise _wrong_url(f"is one too many: a tenant has at most {MAX_ENDPOINTS} endpoints")
    made = await endpoints.add_endpoint(
        session, id=uuid7(), tenant_id=tenant_id, url=url, events=events
    )
    if made is None:
        raise _wrong_url("is the URL of another endpoint")
    await ensure_secret(session, tenant_id)
    return made


async def found(session: AsyncSession, tenant_id: str, endpoint_id: UUID) -> WebhookEndpoint:
    """The tenant's endpoint, locked. Raises NotFoundError."""
    endpoint = await endpoints.get_endpoint(session, tenant_id, endpoint_id)
    if endpoint is None:
        raise NotFoundError(f"There is no endpoint {endpoint_id}.")
    return endpoint


async def change(
    session: AsyncSession,
    tenant_id: str,
    endpoint_id: UUID,
    *,
    url: str | None,
    events: list[str] | None,
    enabled: bool | None,
) -> WebhookEndpoint:
    """Change what is given. What waits for the URL before goes there still.

    Raises:
        NotFoundError.
        InvalidRequestError: the tenant has this URL already.
    """
    # Before any row: two changes to one URL wait for each other.
    await lock_policy(session, tenant_id)
    endpoint = await found(session, tenant_id, endpoint_id)
    if url is not None and url != endpoint.url:
        if await endpoints.has_url(session, tenant_id, url):
            raise _wrong_url("is the URL of another endpoint")
        endpoint.url = url
    if events is not None:
        endpoint.events = events
    await session.flush()
    if enabled is not None:
        await webhook_queries.hold_url(session, tenant_id, endpoint.url)
        switch = webhook_queries.enable if enabled else webhook_queries.disable
        await switch(session, tenant_id, endpoint.url)
    return endpoint


async def remove(session: AsyncSession, endpoint: WebhookEndpoint) -> None:
    """Send nothing there any more."""
    # As every change of several callbacks of one URL.
    await webhook_queries.hold_url(session, endpoint.tenant_id, endpoint.url)
    await endpoints.delete_endpoint(session, endpoint)


async def send_test(session: AsyncSession, tenant_id: str, endpoint_id: UUID) -> Callback:
    """Put a test event into the outbox of the endpoint. Raises NotFoundError."""
    endpoint = await found(session, tenant_id, endpoint_id)
    await ensure_secret(session, tenant_id)
    body = {
        "type": TEST_EVENT,
        "timestamp": datetime.now(UTC).isoformat(),
        "data": {"endpoint_id": str(endpoint.id)},
    }
    disabled = await webhook_queries.is_disabled(session, tenant_id, endpoint.url)
    callback = Callback(
        id=uuid7(),
        tenant_id=tenant_id,
        run_id=None,
        endpoint_id=endpoint.id,
        number=0,
        event=TEST_EVENT,
        url=endpoint.url,
        body=json.dumps(body),
        status="disabled" if disabled else "pending",
    )
    session.add(callback)
    await session.flush()
    await session.refresh(callback)
    return callback


def _wrong_url(why: str) -> InvalidRequestError:
    problems = [{"pointer": "/url", "detail": why}]
    return InvalidRequestError(f"/url {why}.", errors=problems)
