"""Queries on events, which read them in an order that no later commit can change.

`seq` is given before the commit, so a lower
one may appear after a higher one was read. Therefore readers only look at transactions older than
every one that still runs, and the order is that of the transactions: see docs/adr/0014.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import TextClause, select, tuple_
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.events import Event, Position

# Every transaction below this one has ended.
HORIZON: TextClause = sql("(pg_snapshot_xmin(pg_current_snapshot())::text)::bigint")
LAST_SEQ = 2**63 - 1
# Events that end the stream of their run.
FINAL_TYPES = frozenset({"run.finished", "run.merged"})


BEGINNING = Position(0, 0)


async def end_of_events(session: AsyncSession) -> Position:
    """A position behind every event of an ended transaction, and before every other one."""
    horizon: int = (await session.execute(select(HORIZON))).scalar_one()
    return Position(horizon - 1, LAST_SEQ)


async def last_event(session: AsyncSession) -> Position:
    """The last event that can be read, whosever it is; a place that may be held for later.

    An end may not: a crashed Postgres gives the numbers of transactions that nothing kept again.
    """
    query = select(Event.txid, Event.seq).where(Event.txid < HORIZON)
    found = await session.execute(query.order_by(Event.txid.desc(), Event.seq.desc()).limit(1))
    row = found.one_or_none()
    return Position(row.txid, row.seq) if row else BEGINNING


async def events_between(
    session: AsyncSession,
    after: Position,
    until: Position,
    limit: int,
    tenant_ids: Collection[str],
    run_id: UUID | None = None,
) -> list[Event]:
    """Up to `limit` events of these tenants in order; `until` is an end that was read before."""
    place = tuple_(Event.txid, Event.seq)
    query = select(Event).where(
        place > tuple_(*after), place <= tuple_(*until), Event.tenant_id.in_(tenant_ids)
    )
    if run_id is not None:
        query = query.where(Event.run_id == run_id)
    return list(await session.scalars(query.order_by(Event.txid, Event.seq).limit(limit)))


async def final_event(session: AsyncSession, tenant_id: str, run_id: UUID) -> Position | None:
    """Where the run's last event is, even if it cannot be read yet."""
    query = select(Event).where(
        Event.tenant_id == tenant_id, Event.run_id == run_id, Event.type.in_(FINAL_TYPES)
    )
    found = (await session.scalars(query.limit(1))).one_or_none()
    return found.position if found else None
