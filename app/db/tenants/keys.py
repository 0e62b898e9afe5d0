"""Queries on a tenant's API keys: lists, and when each was used last."""

from datetime import timedelta

from sqlalchemy import Select, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.tenants import ApiKey


def keys_of_tenant(tenant_id: str) -> Select[ApiKey]:
    """Select the tenant's keys, revoked ones included."""
    return select(ApiKey).where(ApiKey.tenant_id == tenant_id)


async def newest_keys(
    session: AsyncSession, tenant_id: str, limit: int, *, revoked: bool, before: str = ""
) -> list[ApiKey]:
    """Keys that live, or that were revoked, newest first; `before` is the last id of a page."""
    place = tuple_(ApiKey.created_at, ApiKey.id)
    state = ApiKey.revoked_at.is_not(None) if revoked else ApiKey.revoked_at.is_(None)
    query = keys_of_tenant(tenant_id).where(state)
    if before:
        last = select(ApiKey.created_at, ApiKey.id).where(
            ApiKey.tenant_id == tenant_id, ApiKey.id == before
        )
        query = query.where(place < last.scalar_subquery())
    newest = query.order_by(ApiKey.created_at.desc(), ApiKey.id.desc()).limit(limit)
    return list(await session.scalars(newest))


async def note_use(session: AsyncSession, key: ApiKey, every: timedelta) -> None:
    """Store that the key is used now, unless that was stored less than `every` ago."""
    due = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.now() - every)
    query = update(ApiKey).where(ApiKey.tenant_id == key.tenant_id, ApiKey.id == key.id, due)
    await session.execute(query.values(last_used_at=func.now()))
