"""Queries on the triage models that tenants have trained."""

from typing import Any

from sqlalchemy import func, select, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.tenants import Tenant, TriageModel


async def active_version(session: AsyncSession, tenant_id: str) -> int | None:
    """The version of the model that counts; None while the tenant has none."""
    of_tenant = (TriageModel.tenant_id == tenant_id, TriageModel.active.is_(True))
    return await session.scalar(select(TriageModel.version).where(*of_tenant))


async def triage_model(session: AsyncSession, tenant_id: str, version: int) -> TriageModel | None:
    """One model with its weights."""
    return await session.get(TriageModel, (tenant_id, version))


async def active_model(session: AsyncSession, tenant_id: str) -> TriageModel | None:
    """The model that counts."""
    query = select(TriageModel).where(
        TriageModel.tenant_id == tenant_id, TriageModel.active.is_(True)
    )
    return (await session.scalars(query)).one_or_none()


async def add_model(session: AsyncSession, tenant_id: str, values: dict[str, Any]) -> int:
    """Store a model that does not count yet; its version. Models of a tenant are added in turn."""
    lock = select(Tenant.id).where(Tenant.id == tenant_id).with_for_update(key_share=True)
    await session.execute(lock)
    newest = select(func.coalesce(func.max(TriageModel.version), 0)).where(
        TriageModel.tenant_id == tenant_id
    )
    version = int(await session.scalar(newest) or 0) + 1
    await session.execute(
        insert(TriageModel).values(tenant_id=tenant_id, version=version, active=False, **values)
    )
    return version


async def activate(session: AsyncSession, tenant_id: str, version: int) -> None:
    """Let this model count, and no other."""
    of_tenant = update(TriageModel).where(TriageModel.tenant_id == tenant_id)
    await session.execute(of_tenant.where(TriageModel.active.is_(True)).values(active=False))
    await session.execute(of_tenant.where(TriageModel.version == version).values(active=True))


async def tenants_with_a_model(session: AsyncSession) -> list[str]:
    """Those for which one counts, by id."""
    query = select(TriageModel.tenant_id).where(TriageModel.active.is_(True))
    return list(await session.scalars(query.order_by(TriageModel.tenant_id)))


async def hold_active_model(session: AsyncSession, tenant_id: str) -> TriageModel | None:
    """The model that counts, locked; None also while another process holds it. Never waits."""
    query = select(TriageModel).where(
        TriageModel.tenant_id == tenant_id, TriageModel.active.is_(True)
    )
    return (await session.scalars(query.with_for_update(skip_locked=True))).one_or_none()


async def count_dropped(session: AsyncSession) -> int:
    """Tenants whose model that counts was last seen to be worse than it was measured to be."""
    query = select(func.count()).where(
        TriageModel.active.is_(True),
        type_coerce(TriageModel.figures, JSONB).contains({"since": {"dropped": True}}),
    )
    return int(await session.scalar(query) or 0)
