"""Queries on tenants, API keys and policies."""

from collections.abc import Collection
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.compiled import CompiledQuery, CompiledStatement, Executor
from app.db.tables.runs import Run
from app.db.tables.tenants import ApiKey, Holder, PolicyVersion, Tenant


async def ensure_tenant(session: AsyncSession, tenant_id: str, name: str) -> None:
    """Create the tenant unless it exists."""
    await session.execute(insert(Tenant).values(id=tenant_id, name=name).on_conflict_do_nothing())


async def tenant_exists(session: AsyncSession, tenant_id: str) -> bool:
    """Whether there is such a tenant."""
    query = select(Tenant.id).where(Tenant.id == tenant_id)
    return (await session.scalars(query)).one_or_none() is not None


@cache
def _select_live_key() -> CompiledQuery[ApiKey]:
    live = (ApiKey.id == bindparam("key"), ApiKey.revoked_at.is_(None))
    return CompiledQuery(ApiKey, select(ApiKey).where(*live))


@cache
def _select_newest_policy() -> CompiledQuery[PolicyVersion]:
    of_tenant = select(PolicyVersion).where(PolicyVersion.tenant_id == bindparam("tenant"))
    return CompiledQuery(PolicyVersion, of_tenant.order_by(PolicyVersion.version.desc()).limit(1))


@cache
def _select_policy_at() -> CompiledQuery[PolicyVersion]:
    of_tenant = select(PolicyVersion).where(PolicyVersion.tenant_id == bindparam("tenant"))
    return CompiledQuery(
        PolicyVersion, of_tenant.where(PolicyVersion.version == bindparam("version"))
    )


async def live_key(executor: Executor, key_id: str) -> ApiKey | None:
    """The key of that public id, unless it is revoked."""
    return await _select_live_key().one_or_none(executor, key=key_id)


async def live_keys(session: AsyncSession, key_ids: Collection[str]) -> set[str]:
    """Those of the keys that are not revoked."""
    query = select(ApiKey.id).where(ApiKey.id.in_(key_ids), ApiKey.revoked_at.is_(None))
    return set(await session.scalars(query))


async def holders_of_keys(session: AsyncSession, key_ids: Collection[str]) -> dict[str, Holder]:
    """Who holds each of the keys, revoked ones included."""
    query = select(ApiKey.id, ApiKey.name, ApiKey.person).where(ApiKey.id.in_(key_ids))
    return {key: Holder(name, person) for key, name, person in await session.execute(query)}


async def list_keys(session: AsyncSession, tenant_id: str) -> list[ApiKey]:
    """The tenant's keys, oldest first, revoked ones included."""
    query = select(ApiKey).where(ApiKey.tenant_id == tenant_id).order_by(ApiKey.created_at)
    return list(await session.scalars(query))


async def revoke_key(session: AsyncSession, tenant_id: str, key_id: str) -> bool:
    """Revoke a key from now on; False when the tenant has no such live key."""
    query = (
        update(ApiKey)
        .where(ApiKey.tenant_id == tenant_id, ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(ApiKey.id)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def revoke_named(session: AsyncSession, tenant_id: str, names: Collection[str]) -> None:
    """Revoke the tenant's keys of these names from now on."""
    query = update(ApiKey).where(
        ApiKey.tenant_id == tenant_id, ApiKey.name.in_(names), ApiKey.revoked_at.is_(None)
    )
    await session.execute(query.values(revoked_at=func.now()))


async def newest_policy(executor: Executor, tenant_id: str) -> PolicyVersion | None:
    """The tenant's newest policy; None while it has the default one."""
    return await _select_newest_policy().one_or_none(executor, tenant=tenant_id)


def policies_of(tenant_id: str) -> Select[PolicyVersion]:
    """Select every version of the tenant's policy."""
    return select(PolicyVersion).where(PolicyVersion.tenant_id == tenant_id)


async def lock_policy(session: AsyncSession, tenant_id: str) -> bool:
    """Serialise writers of the tenant's policy; False when there is no such tenant."""
    query = select(Tenant.id).where(Tenant.id == tenant_id).with_for_update(key_share=True)
    return (await session.scalars(query)).one_or_none() is not None


async def current_policy(executor: Executor, tenant_id: str) -> tuple[int, dict[str, Any]]:
    """The tenant's newest policy and its version; version 0 is the default policy."""
    newest = await newest_policy(executor, tenant_id)
    return (newest.version, newest.body) if newest else (0, {})


async def policy_at(executor: Executor, tenant_id: str, version: int) -> dict[str, Any]:
    """The policy a run was started under."""
    if version == 0:
        return {}
    found = await _select_policy_at().one_or_none(executor, tenant=tenant_id, version=version)
    return found.body if found else {}


async def policy_of_run(executor: Executor, tenant_id: str, run_id: UUID) -> dict[str, Any]:
    """The policy that the run was started under; empty for the default one."""
    found = await _select_policy_of_run().rows(executor, tenant=tenant_id, run=run_id)
    return found[0][0] if found else {}


@cache
def _select_policy_of_run() -> CompiledStatement:
    return CompiledStatement(
        select(PolicyVersion.body)
        .join(
            Run,
            (Run.tenant_id == PolicyVersion.tenant_id)
            & (Run.policy_version == PolicyVersion.version),
        )
        .where(Run.tenant_id == bindparam("tenant"), Run.id == bindparam("run"))
    )


async def add_policy(
    session: AsyncSession, tenant_id: str, version: int, body: dict[str, Any], created_by: str
) -> PolicyVersion:
    """Store a version; of two with the same number, one raises IntegrityError."""
    query = insert(PolicyVersion).values(
        tenant_id=tenant_id, version=version, body=body, created_by=created_by
    )
    return (await session.scalars(query.returning(PolicyVersion))).one()
