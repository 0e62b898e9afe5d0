"""A tenant that exists for one evaluation; its rows are removed at the end, but for its trail."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.core.base import Base
from app.db.core.connections import Sessions
from app.db.tables.tenants import Tenant
from app.db.tenants.queries import add_policy
from graphs.policy import Policy

NAMED = "eval-"
# Nothing can delete from the trail, and that such a tenant was there belongs in it.
TRAIL = ("audit_events", "audit_seals", "audit_unsealed")


@asynccontextmanager
async def tenant_for(
    sessions: Sessions, policy: Policy, fill: Callable[[AsyncSession, str], Awaitable[None]]
) -> AsyncIterator[str]:
    """Its id. `fill` makes the tenant, with articles and customers; `policy` holds in it."""
    tenant_id = f"{NAMED}{uuid7()}"
    try:
        async with sessions.begin() as session:
            await fill(session, tenant_id)
            await add_policy(session, tenant_id, 1, policy.model_dump(mode="json"), "eval")
        yield tenant_id
    finally:
        async with sessions.begin() as session:
            await remove(session, tenant_id)


async def remove(session: AsyncSession, tenant_id: str) -> None:
    """Delete every other row of the tenant, those that name others first; then the tenant."""
    for table in reversed(Base.metadata.sorted_tables):
        if "tenant_id" in table.c and table.name not in TRAIL:
            await session.execute(delete(table).where(table.c.tenant_id == tenant_id))
    await session.execute(delete(Tenant).where(Tenant.id == tenant_id))
