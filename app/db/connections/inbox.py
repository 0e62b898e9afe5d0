"""Queries on what hooks said: kept once, read by one worker."""

from collections.abc import Collection
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import Text, bindparam, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.base import sql_table
from app.db.core.claims import change_claimed, claim_due
from app.db.core.compiled import CompiledStatement, Executor, new_values
from app.db.tables.connections import Connection, InboxItem

# Before the ids of messages that no hook named; no desk has an id that begins so.
SEEN = "seen\x1f"
# A hook's time is written no more often than this: each hook would wait for the connection's row.
HOOK_TIME = timedelta(seconds=1)
CONNECTIONS, INBOX = sql_table(Connection), sql_table(InboxItem)
# How many facts of a ticket a late one is compared with.
NEWEST = 20


async def keep_hook(executor: Executor, **values: Any) -> bool:
    """Store a hook's fact once for its delivery and once for its message, and when a hook came.

    False when the fact was there.
    """
    statement = _insert_of_hook(tuple(values))
    return bool(await statement.rows(executor, **new_values(values)))


@cache
def _insert_of_hook(names: tuple[str, ...]) -> CompiledStatement:
    given = {name: bindparam(f"new_{name}", type_=INBOX.c[name].type) for name in names}
    last = CONNECTIONS.c.last_hook_at
    came = (
        update(CONNECTIONS)
        .where(CONNECTIONS.c.id == given["connection_id"])
        .where(or_(last.is_(None), last < func.now() - HOOK_TIME))
        .values(last_hook_at=func.now())
    )
    row = insert(INBOX).values(given).on_conflict_do_nothing().returning(INBOX.c.id)
    return CompiledStatement(row.add_cte(came.cte("came")))


async def keep(session: AsyncSession, **values: Any) -> None:
    """Store a fact once for its delivery and once for its message."""
    await session.execute(insert(InboxItem).values(**values).on_conflict_do_nothing())


async def keep_seen(session: AsyncSession, row: Connection, message_ids: Collection[str]) -> None:
    """Write down that these messages of people were taken account of, beside their own hooks."""
    for message_id in message_ids:
        name = SEEN + message_id
        await keep(
            session, tenant_id=row.tenant_id, connection_id=row.id, delivery_id=name,
            message_id=name, event={"kind": "nothing"}, status="done", note="seen in the ticket",
        )  # fmt: skip


async def not_seen(
    session: AsyncSession, connection_id: str, message_ids: Collection[str]
) -> list[str]:
    """Those of the messages that neither a hook named nor `keep_seen` wrote down."""
    if not message_ids:
        return []
    names = [*message_ids, *(SEEN + each for each in message_ids)]
    query = select(InboxItem.message_id).where(
        InboxItem.connection_id == connection_id, InboxItem.message_id.in_(names)
    )
    known = {name.removeprefix(SEEN) for name in await session.scalars(query) if name}
    return [each for each in message_ids if each not in known]


async def newest_id(session: AsyncSession, tenant_id: str) -> int:
    """The id of the tenant's newest fact; 0 without one."""
    query = select(func.max(InboxItem.id)).where(InboxItem.tenant_id == tenant_id)
    return await session.scalar(query) or 0


async def is_handed_back_after(
    session: AsyncSession, row: Connection, ticket_id: str, newest: int
) -> bool:
    """Whether a hand-back of the desk's ticket came after that fact."""
    query = select(InboxItem.id).where(
        InboxItem.tenant_id == row.tenant_id,
        InboxItem.id > newest,
        InboxItem.connection_id == row.id,
        InboxItem.event.contains({"kind": "handback", "ticket_id": ticket_id}),
    )
    return bool(await session.scalar(select(query.exists())))


async def facts_of_ticket(
    session: AsyncSession, row: Connection, ticket_id: str, kind: str
) -> list[dict[str, Any]]:
    """The newest facts of that kind, `person` or `handback`, on the desk's ticket."""
    query = select(InboxItem.event).where(
        InboxItem.tenant_id == row.tenant_id,
        InboxItem.connection_id == row.id,
        # As the index has them: with keys as parameters it would not be used.
        literal_column("event ->> 'kind' IN ('person','handback')"),
        literal_column("(event ->> 'ticket_id')", Text) == ticket_id,
        literal_column("(event ->> 'kind')", Text) == kind,
    )
    return list(await session.scalars(query.order_by(InboxItem.id.desc()).limit(NEWEST)))


async def note_again(session: AsyncSession, item: InboxItem) -> None:
    """Write down, with the hand-back itself, that what waits is to be asked again."""
    item.event = item.event | {"again": True}
    await session.execute(
        update(InboxItem)
        .where(InboxItem.id == item.id)
        .values(event=item.event)
        .execution_options(synchronize_session=False)
    )


async def claim(
    session: AsyncSession, lease: timedelta, limit: int, busy: Collection[str] = ()
) -> list[InboxItem]:
    """Claim facts that are due; those of `busy` connections stay, and of those that are paused or
    asked to be left alone."""
    open_now = select(Connection.id).where(
        Connection.id == InboxItem.connection_id,
        Connection.paused_because.is_(None),
        Connection.removed_at.is_(None),
        or_(Connection.not_before.is_(None), Connection.not_before <= func.now()),
    )
    return await claim_due(
        session,
        InboxItem,
        InboxItem.status == "new",
        InboxItem.connection_id.not_in(busy),
        open_now.exists(),
        lease=lease,
        limit=limit,
    )


async def conclude(session: AsyncSession, item: InboxItem, status: str, note: str | None) -> bool:
    """End the claimed attempt; False when a later one came first."""
    return await change_claimed(session, item, "new", status=status, note=note)


async def drop_of_connection(session: AsyncSession, tenant_id: str, connection_id: str) -> None:
    """End what a connection that is being removed has said: nothing reads it any more."""
    await session.execute(
        update(InboxItem)
        .where(
            InboxItem.tenant_id == tenant_id,
            InboxItem.connection_id == connection_id,
            InboxItem.status == "new",
        )
        .values(status="dead", note="the connection was removed")
        .execution_options(synchronize_session=False)
    )


async def postpone(session: AsyncSession, item: InboxItem, wait: timedelta, note: str) -> None:
    """Let the claimed fact be read again after the wait."""
    await change_claimed(session, item, "new", next_at=func.now() + wait, note=note)
