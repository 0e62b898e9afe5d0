"""Queries on connections."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, Text, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.compiled import CompiledQuery, Executor
from app.db.tables.connections import Connection


def connections_of_tenant(tenant_id: Any) -> Select[Connection]:
    """Select the tenant's connections that are not removed."""
    return select(Connection).where(
        Connection.tenant_id == tenant_id, Connection.removed_at.is_(None)
    )


async def names_of_connections(session: AsyncSession, tenant_id: str) -> dict[str, str]:
    """The names of the tenant's connections by id, also of those that were removed."""
    query = select(Connection.id, Connection.name).where(Connection.tenant_id == tenant_id)
    return {row.id: row.name for row in await session.execute(query)}


async def every_connection(session: AsyncSession) -> list[Connection]:
    """Every tenant's connections that are not removed, locked."""
    query = select(Connection).where(Connection.removed_at.is_(None)).order_by(Connection.id)
    return list(await session.scalars(query.with_for_update()))


async def get_connection(
    session: AsyncSession, tenant_id: str, connection_id: str, *, lock: bool = False
) -> Connection | None:
    """The tenant's connection of that id, unless it was removed."""
    query = connections_of_tenant(tenant_id).where(Connection.id == connection_id)
    query = query.with_for_update() if lock else query
    return (await session.scalars(query)).one_or_none()


async def hold(session: AsyncSession, tenant_id: str, connection_id: str) -> bool:
    """Keep the tenant's connection from being removed until the transaction ends; False when it
    was removed."""
    query = connections_of_tenant(tenant_id).where(Connection.id == connection_id)
    locked = query.with_only_columns(Connection.id).with_for_update(read=True, key_share=True)
    return await session.scalar(locked) is not None


async def any_of_tenant(
    executor: Executor, tenant_id: str, connection_id: str
) -> Connection | None:
    """The tenant's connection of that id, also one that was removed."""
    return await _select_any().one_or_none(executor, tenant=tenant_id, connection=connection_id)


@cache
def _select_any() -> CompiledQuery[Connection]:
    tenant: Any = bindparam("tenant", type_=Text)
    connection: Any = bindparam("connection", type_=Text)
    query = select(Connection).where(Connection.tenant_id == tenant, Connection.id == connection)
    return CompiledQuery(Connection, query)


async def live_connection(executor: Executor, connection_id: str) -> Connection | None:
    """The connection whose address holds the id; it says itself whose it is."""
    return await _select_live().one_or_none(executor, id=connection_id)


@cache
def _select_live() -> CompiledQuery[Connection]:
    named = Connection.id == bindparam("id", type_=Text)
    query = select(Connection).where(named, Connection.removed_at.is_(None))
    return CompiledQuery(Connection, query)


async def payments_of(executor: Executor, tenant_id: str) -> Connection | None:
    """The tenant's payment provider, if it connected one."""
    return await _select_payments().one_or_none(executor, tenant=tenant_id)


@cache
def _select_payments() -> CompiledQuery[Connection]:
    tenant: Any = bindparam("tenant", type_=Text)
    return CompiledQuery(
        Connection, connections_of_tenant(tenant).where(Connection.role == "payments")
    )


async def lease_unread(
    session: AsyncSession, kinds: Sequence[str], lease: timedelta
) -> list[Connection]:
    """Take the mailboxes of all tenants that no worker reads now; each for the time of a lease."""
    free = (
        select(Connection.id)
        .where(
            Connection.kind.in_(kinds),
            Connection.removed_at.is_(None),
            Connection.paused_because.is_(None),
            or_(Connection.leased_until.is_(None), Connection.leased_until < func.now()),
        )
        .with_for_update(skip_locked=True)
    )
    query = (
        update(Connection)
        .where(Connection.id.in_(free.scalar_subquery()))
        .values(leased_until=func.now() + lease)
        .returning(Connection)
    )
    return list(await session.scalars(query))


async def renew_lease(
    session: AsyncSession, connection_id: str, lease: timedelta
) -> Connection | None:
    """The mailbox as it is now, for another lease; None once it is paused or removed."""
    query = (
        update(Connection)
        .where(
            Connection.id == connection_id,
            Connection.removed_at.is_(None),
            Connection.paused_because.is_(None),
        )
        .values(leased_until=func.now() + lease)
        .returning(Connection)
    )
    return (await session.scalars(query)).one_or_none()


async def release(session: AsyncSession, connection_ids: Sequence[str]) -> None:
    """Let another worker read these mailboxes at once."""
    await session.execute(
        update(Connection)
        .where(Connection.id.in_(connection_ids))
        .values(leased_until=None)
        .execution_options(synchronize_session=False)
    )


async def set_cursor(session: AsyncSession, connection_id: str, cursor: dict[str, Any]) -> None:
    """Write down how far a mailbox was read."""
    await _set(session, connection_id, cursor=cursor)


async def note_write(session: AsyncSession, connection_id: str) -> None:
    """Write down that the system took something."""
    await _set(session, connection_id, last_write_at=func.now(), not_before=None)


async def note_error(
    session: AsyncSession, connection_id: str, error: str, not_before: datetime | None = None
) -> None:
    """Write down what went wrong; `not_before` when the system wants to be left alone."""
    values = {"not_before": not_before} if not_before else {}
    await _set(session, connection_id, last_error=error, last_error_at=func.now(), **values)


async def _set(session: AsyncSession, connection_id: str, **values: Any) -> None:
    await session.execute(
        update(Connection)
        .where(Connection.id == connection_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def warn_of_expiry(session: AsyncSession, within: timedelta, limit: int) -> list[Connection]:
    """Connections whose credentials end so soon, or have ended; each is answered once."""
    due = (
        select(Connection.id)
        .where(
            Connection.expires_at < func.now() + within,
            Connection.expiry_warned_at.is_(None),
            Connection.removed_at.is_(None),
        )
        .order_by(Connection.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    query = (
        update(Connection)
        .where(Connection.id.in_(due.scalar_subquery()))
        .values(expiry_warned_at=func.now())
        .returning(Connection)
    )
    return list(await session.scalars(query))


async def pause(session: AsyncSession, row: Connection, why: str) -> bool:
    """Send nothing more there until it is changed.

    False when it was paused already, or has other settings or credentials than were used.
    """
    query = (
        update(Connection)
        .where(
            Connection.id == row.id,
            Connection.paused_because.is_(None),
            Connection.settings == row.settings,
            Connection.credentials.is_not_distinct_from(row.credentials),
        )
        .values(paused_because=why, last_error=why, last_error_at=func.now())
        .returning(Connection.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.scalars(query)).one_or_none() is not None
