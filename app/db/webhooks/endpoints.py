"""Queries on the endpoints to which a tenant's events are sent."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.webhooks import Callback, DisabledUrl, WebhookEndpoint


def endpoints_of_tenant(tenant_id: str) -> Select[WebhookEndpoint]:
    """Select the tenant's endpoints."""
    return select(WebhookEndpoint).where(WebhookEndpoint.tenant_id == tenant_id)


async def count_endpoints(session: AsyncSession, tenant_id: str) -> int:
    """How many endpoints the tenant has."""
    counted = select(func.count()).select_from(endpoints_of_tenant(tenant_id).subquery())
    return int(await session.scalar(counted) or 0)


async def get_endpoint(
    session: AsyncSession, tenant_id: str, endpoint_id: UUID
) -> WebhookEndpoint | None:
    """The tenant's endpoint of that id, locked."""
    query = endpoints_of_tenant(tenant_id).where(WebhookEndpoint.id == endpoint_id)
    return (await session.scalars(query.with_for_update())).one_or_none()


async def wanting(session: AsyncSession, tenant_id: str, event: str) -> list[WebhookEndpoint]:
    """The tenant's endpoints that chose the event."""
    query = endpoints_of_tenant(tenant_id).where(literal(event) == func.any(WebhookEndpoint.events))
    return list(await session.scalars(query.order_by(WebhookEndpoint.id)))


async def add_endpoint(session: AsyncSession, **values: Any) -> WebhookEndpoint | None:
    """Store an endpoint; None when the tenant has one of that URL."""
    row = insert(WebhookEndpoint).values(**values).on_conflict_do_nothing()
    return (await session.scalars(row.returning(WebhookEndpoint))).one_or_none()


async def has_url(session: AsyncSession, tenant_id: str, url: str) -> bool:
    """Whether the tenant has an endpoint of that URL."""
    query = endpoints_of_tenant(tenant_id).where(WebhookEndpoint.url == url)
    return (await session.scalars(query)).one_or_none() is not None


async def delete_endpoint(session: AsyncSession, endpoint: WebhookEndpoint) -> None:
    """Remove the endpoint; what waits for it is not sent."""
    of_it = (Callback.tenant_id == endpoint.tenant_id, Callback.endpoint_id == endpoint.id)
    await session.execute(
        update(Callback)
        .where(*of_it, Callback.status == "pending")
        .values(status="disabled")
        .execution_options(synchronize_session=False)
    )
    await session.execute(delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id))


async def disabled_urls(session: AsyncSession, tenant_id: str, urls: list[str]) -> set[str]:
    """Those of the URLs to which nothing is sent."""
    query = select(DisabledUrl.url).where(
        DisabledUrl.tenant_id == tenant_id, DisabledUrl.url.in_(urls)
    )
    return set(await session.scalars(query))
