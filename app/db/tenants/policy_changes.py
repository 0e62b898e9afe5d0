"""Queries on policy changes that wait for a second admin."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.policy_changes import PolicyChange


def changes_of(tenant_id: str, status: str | None = None) -> Select[PolicyChange]:
    """Select the tenant's changes, of one status if given."""
    query = select(PolicyChange).where(PolicyChange.tenant_id == tenant_id)
    return query if status is None else query.where(PolicyChange.status == status)


async def waiting_changes(session: AsyncSession, tenant_id: str) -> list[PolicyChange]:
    """The tenant's changes that another admin may still confirm, oldest first."""
    query = changes_of(tenant_id, "pending").where(~is_due()).order_by(PolicyChange.id)
    return list(await session.scalars(query))


async def get_change(session: AsyncSession, tenant_id: str, change_id: UUID) -> PolicyChange | None:
    """The tenant's change as it stands."""
    query = changes_of(tenant_id).where(PolicyChange.id == change_id)
    return (await session.scalars(query)).one_or_none()


async def pending_like(session: AsyncSession, new: PolicyChange) -> PolicyChange | None:
    """A change that waits and is the same: asked by the same key, of the same version."""
    query = changes_of(new.tenant_id, "pending").where(
        PolicyChange.base_version == new.base_version,
        PolicyChange.asked_key == new.asked_key,
        PolicyChange.body == new.body,
        ~is_due(),
    )
    return (await session.scalars(query.limit(1))).one_or_none()


def is_due() -> ColumnElement[bool]:
    """The time of the change is over."""
    return PolicyChange.expires_at <= func.now()


async def end_change(session: AsyncSession, change: PolicyChange, **values: Any) -> bool:
    """Close a change that waits, unless its time is over; False when it does not wait any more."""
    query = (
        update(PolicyChange)
        .where(PolicyChange.tenant_id == change.tenant_id, PolicyChange.id == change.id)
        .where(PolicyChange.status == "pending", ~is_due())
        .values(decided_at=func.now(), **values)
        .returning(PolicyChange.id)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def expire_changes(session: AsyncSession, limit: int) -> int:
    """Close up to `limit` changes whose time is over; how many."""
    due = (
        select(PolicyChange.id)
        .where(PolicyChange.status == "pending", is_due())
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    query = update(PolicyChange).where(PolicyChange.id.in_(due)).values(status="expired")
    return len(list(await session.scalars(query.returning(PolicyChange.id))))
