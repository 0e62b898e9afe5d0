"""Queries on tenants, API keys and policies."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.compiled import CompiledQuery, CompiledStatement, Executor
from app.db.tables.runs import Run
from app.db.tables.tenants import ApiKey, PolicyVersion, Tenant


async def ensure_tenant(session: AsyncSession, tenant_id: str, name: str) -> None:
    """Create the tenant unless it exists."""
    await session.execute(insert(Tenant).values(id=tenant_id, name=name).on_conflict_do_nothing())


async def tenant_exists(session: AsyncSession, tenant_id: str) -> bool:
    """Whether there is such a tenant."""
    query = select(Tenant.id).where(Tenant.id == tenant_id)
    return (await session.scalars(query)).one_or_none() is not None


# Built once, since every request asks for them.
LIVE_KEY = CompiledQuery(
    ApiKey, select(ApiKey).where(ApiKey.id == bindparam("key"), ApiKey.revoked_at.is_(None))
)
NEWEST_POLICY = CompiledQuery(
    PolicyVersion,
    select(PolicyVersion)
    .where(PolicyVersion.tenant_id == bindparam("tenant"))
    .order_by(PolicyVersion.version.desc())
    .limit(1),
)


POLICY_AT = CompiledQuery(
    PolicyVersion,
    select(PolicyVersion).where(
        PolicyVersion.tenant_id == bindparam("tenant"),
        PolicyVersion.version == bindparam("version"),
    ),
)
HOLDS = and_(
    ApiKey.id == Run.started_by,
    ApiKey.tenant_id == Run.tenant_id,
    ApiKey.revoked_at.is_(None),
    bindparam("scope") == func.any(ApiKey.scopes),
)
STARTERS_HOLD = CompiledStatement(
    select(func.bool_and(ApiKey.id.is_not(None)))
    .select_from(Run)
    .outerjoin(ApiKey, HOLDS)
    .where(
        Run.tenant_id == bindparam("tenant"),
        or_(
            Run.id == bindparam("run", type_=Uuid()),
            Run.merged_into == bindparam("run", type_=Uuid()),
        ),
    )
)


async def live_key(executor: Executor, key_id: str) -> ApiKey | None:
    """The key of that public id, unless it is revoked."""
    return await LIVE_KEY.one_or_none(executor, key=key_id)


async def starters_hold(executor: Executor, tenant_id: str, run_id: UUID, scope: str) -> bool:
    """Whether the keys that started the run, and the runs merged into it, live and hold a scope."""
    asked = {"tenant": tenant_id, "run": run_id, "scope": scope}
    [(held,)] = await STARTERS_HOLD.rows(executor, **asked)
    return bool(held)


async def live_keys(session: AsyncSession, key_ids: Collection[str]) -> set[str]:
    """Those of the keys that are not revoked."""
    query = select(ApiKey.id).where(ApiKey.id.in_(key_ids), ApiKey.revoked_at.is_(None))
    return set(await session.scalars(query))


async def list_keys(session: AsyncSession, tenant_id: str) -> list[ApiKey]:
    """The tenant's keys, oldest first, revoked ones included."""
    query = select(ApiKey).where(ApiKey.tenant_id == tenant_id).order_by(ApiKey.created_at)
    return list(await session.scalars(query))


async def revoke_key(session: AsyncSession, tenant_id: str, key_id: str) -> bool:
    """Make a key worthless from now on; False when the tenant has no such live key."""
    query = (
        update(ApiKey)
        .where(ApiKey.tenant_id == tenant_id, ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(ApiKey.id)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def newest_policy(executor: Executor, tenant_id: str) -> PolicyVersion | None:
    """The tenant's newest policy; None while it has the default one."""
    return await NEWEST_POLICY.one_or_none(executor, tenant=tenant_id)


def policies_of(tenant_id: str) -> Select[PolicyVersion]:
    """Select every version of the tenant's policy."""
    return select(PolicyVersion).where(PolicyVersion.tenant_id == tenant_id)


async def lock_policy(session: AsyncSession, tenant_id: str) -> bool:
    """Let one writer of the tenant's policy in at a time; False when there is no such tenant."""
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
    found = await POLICY_AT.one_or_none(executor, tenant=tenant_id, version=version)
    return found.body if found else {}


async def add_policy(
    session: AsyncSession, tenant_id: str, version: int, body: dict[str, Any], created_by: str
) -> PolicyVersion:
    """Store a version; of two with the same number, one raises IntegrityError."""
    query = insert(PolicyVersion).values(
        tenant_id=tenant_id, version=version, body=body, created_by=created_by
    )
    return (await session.scalars(query.returning(PolicyVersion))).one()
