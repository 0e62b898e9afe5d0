"""Events, and how they are read in an order that no later commit can change.

The triggers that write them stand in the migrations. `seq` is given before the commit, so a lower
one may appear after a higher one was read. Therefore readers only look at transactions older than
every one that still runs, and the order is that of the transactions: see docs/adr/0014.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Identity, Index, TextClause, select, tuple_
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now

# Every transaction below this one has ended, whoever reads it.
HORIZON: TextClause = sql("(pg_snapshot_xmin(pg_current_snapshot())::text)::bigint")
LAST_SEQ = 2**63 - 1
# Events that end the stream of their run.
FINAL_TYPES = frozenset({"run.finished", "run.merged"})


class Event(Base):
    """Something that happened to a run. Written by triggers, never changed."""

    __tablename__ = "events"

    txid: Mapped[int] = mapped_column(
        primary_key=True, server_default=sql("(pg_current_xact_id()::text)::bigint")
    )
    seq: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    tenant_id: Mapped[str]
    run_id: Mapped[UUID]
    type: Mapped[str]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = now()

    @property
    def position(self) -> "Position":
        """Its place in the order of all events."""
        return Position(self.txid, self.seq)

    __table_args__ = (
        Index("events_by_tenant", "tenant_id", "txid", "seq"),
        Index("events_by_run", "tenant_id", "run_id", "txid", "seq"),
    )


class Position(NamedTuple):
    """A place in the order of all events."""

    txid: int
    seq: int

    def __str__(self) -> str:
        """As the `id` of a server-sent event."""
        return f"{self.txid}-{self.seq}"


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
