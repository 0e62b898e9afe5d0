"""Queries on what is on its way to desks: one after the other on a ticket, by one worker."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from uuid_utils.compat import uuid7

from app.db.core.claims import change_claimed, claim_due
from app.db.tables.connections import Connection, Delivery
from app.db.tables.runs import Message, Run
from app.db.tables.tenants import EVERYONE, Pause


async def add(session: AsyncSession, **values: Any) -> None:
    """Put something on its way, once per kind and key."""
    row = insert(Delivery).values(id=uuid7(), **values)
    await session.execute(row.on_conflict_do_nothing(index_elements=["tenant_id", "kind", "key"]))


async def claim(
    session: AsyncSession, lease: timedelta, limit: int, busy: Collection[str] = ()
) -> list[Delivery]:
    """Claim deliveries that are due.

    On one ticket only the oldest pending one may be taken, so that a ticket has one writer. Those
    of `busy` connections stay, and of those that are paused or asked to be left alone, or whose
    tenant's replies are held back.
    """
    older = aliased(Delivery)
    waits = exists().where(
        older.connection_id == Delivery.connection_id,
        older.ticket_id == Delivery.ticket_id,
        older.tenant_id == Delivery.tenant_id,
        older.status == "pending",
        older.id < Delivery.id,
    )
    open_now = select(Connection.id).where(
        Connection.id == Delivery.connection_id,
        Connection.paused_because.is_(None),
        or_(Connection.not_before.is_(None), Connection.not_before <= func.now()),
    )
    held_back = select(Pause.tenant_id).where(
        or_(Pause.tenant_id == Delivery.tenant_id, Pause.tenant_id == EVERYONE)
    )
    return await claim_due(
        session,
        Delivery,
        Delivery.status == "pending",
        Delivery.connection_id.not_in(busy),
        ~waits,
        open_now.exists(),
        ~held_back.exists(),
        lease=lease,
        limit=limit,
        posting_since=None,
    )


async def begin_posting(session: AsyncSession, delivery: Delivery) -> bool:
    """Write down that the claimed attempt posts now, with the thread's lock held; False when a
    later attempt or another change came first."""
    return await change_claimed(session, delivery, "pending", posting_since=func.now())


async def posts_in_flight(session: AsyncSession, tenant_id: str, ticket_id: str) -> int:
    """How many replies are being posted on the ticket, by attempts whose lease still runs."""
    query = select(func.count()).where(
        Delivery.tenant_id == tenant_id,
        Delivery.ticket_id == ticket_id,
        Delivery.status == "pending",
        Delivery.posting_since.is_not(None),
        Delivery.next_at > func.now(),
    )
    return int(await session.scalar(query) or 0)


async def conclude(
    session: AsyncSession,
    delivery: Delivery,
    status: str,
    *,
    desk_id: str | None = None,
    error: str | None = None,
) -> bool:
    """End a claimed delivery; False when a later attempt or a takeover came first."""
    ended = {"desk_id": desk_id, "last_error": error, "ended_at": func.now()}
    return await change_claimed(session, delivery, "pending", status=status, **ended)


async def postpone(
    session: AsyncSession, delivery: Delivery, wait: timedelta, error: str | None
) -> bool:
    """Try a claimed delivery again after the wait."""
    later = {"next_at": func.now() + wait, "last_error": error, "posting_since": None}
    return await change_claimed(session, delivery, "pending", **later)


async def cancel_of_connection(session: AsyncSession, tenant_id: str, connection_id: str) -> None:
    """Send nothing more to a connection that is being removed: no customer got what waited."""
    query = (
        update(Delivery)
        .where(
            Delivery.tenant_id == tenant_id,
            Delivery.connection_id == connection_id,
            Delivery.status == "pending",
        )
        .values(status="cancelled", ended_at=func.now())
        .returning(Delivery.kind, Delivery.key)
        .execution_options(synchronize_session=False)
    )
    cancelled = (await session.execute(query)).all()
    await _hide(session, tenant_id, [key for kind, key in cancelled if kind == "reply"])


async def message_of(session: AsyncSession, tenant_id: str, key: str) -> Message | None:
    """The message that a delivery is about; None once it was erased."""
    query = select(Message).where(Message.tenant_id == tenant_id, Message.key == key)
    return (await session.scalars(query)).one_or_none()


async def hide_message(session: AsyncSession, tenant_id: str, key: str) -> None:
    """The customer did not get this message, so it is no public one."""
    await _hide(session, tenant_id, [key])


async def _hide(session: AsyncSession, tenant_id: str, keys: Collection[str]) -> None:
    await session.execute(
        update(Message)
        .where(Message.tenant_id == tenant_id, Message.key.in_(keys))
        .values(public=False)
        .execution_options(synchronize_session=False)
    )


async def get_run(session: AsyncSession, tenant_id: str, run_id: UUID) -> Run | None:
    """The run that wrote a message."""
    query = select(Run).where(Run.tenant_id == tenant_id, Run.id == run_id)
    return (await session.scalars(query)).one_or_none()


def deliveries_of_connection(tenant_id: str, connection_id: str) -> Select[Delivery]:
    """Select what a connection got or is to get."""
    return select(Delivery).where(
        Delivery.tenant_id == tenant_id, Delivery.connection_id == connection_id
    )


async def waiting_by_connection(
    session: AsyncSession, tenant_id: str
) -> dict[str, tuple[int, datetime]]:
    """How many deliveries wait for each connection of the tenant, and since when the oldest does.

    Connections for which none waits are left out.
    """
    query = (
        select(Delivery.connection_id, func.count(), func.min(Delivery.created_at))
        .where(Delivery.tenant_id == tenant_id, Delivery.status == "pending")
        .group_by(Delivery.connection_id)
    )
    return {name: (number, oldest) for name, number, oldest in await session.execute(query)}


async def find(session: AsyncSession, tenant_id: str, kind: str, key: str) -> Delivery | None:
    """The delivery of that kind and key."""
    query = select(Delivery).where(
        Delivery.tenant_id == tenant_id, Delivery.kind == kind, Delivery.key == key
    )
    return (await session.scalars(query)).one_or_none()
