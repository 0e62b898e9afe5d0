"""The table of events. The triggers that write it stand in the migrations."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Identity, Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now


class Position(NamedTuple):
    """A place in the order of all events."""

    txid: int
    seq: int

    def __str__(self) -> str:
        """As the `id` of a server-sent event."""
        return f"{self.txid}-{self.seq}"


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
    def position(self) -> Position:
        """Its place in the order of all events."""
        return Position(self.txid, self.seq)

    __table_args__ = (
        Index("events_by_tenant", "tenant_id", "txid", "seq"),
        Index("events_by_run", "tenant_id", "run_id", "txid", "seq"),
    )
