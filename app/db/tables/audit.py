"""The audit trail: events that triggers write, and the seals that chain them.

A trigger on each table of facts inserts the event in the transaction of the fact (docs/adr/0035).
No row of the first two tables can be changed or deleted: triggers refuse it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now


class AuditEvent(Base):
    """A fact, in ids, codes, amounts and hashes: no text, name or address.

    `actor` is `key`, `command_line` or `service`; `actor_sha256` is the hash of the tenant's id,
    U+001F and the person behind the key, or whom it named. `subjects` are `kind:id`.
    """

    __tablename__ = "audit_events"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    actor: Mapped[str]
    actor_key: Mapped[str | None]
    actor_sha256: Mapped[str | None]
    subjects: Mapped[list[str]]
    facts: Mapped[dict[str, Any]]
    content_sha256: Mapped[str]

    __table_args__ = (
        Index("audit_events_by_kind", "tenant_id", "kind", "id"),
        Index("audit_events_by_time", "tenant_id", "at"),
        Index("audit_events_by_subject", "subjects", postgresql_using="gin"),
    )


class AuditSeal(Base):
    """The n-th link of a tenant's chain: a hash of the link before it and of one event."""

    __tablename__ = "audit_seals"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[UUID]
    seal: Mapped[str]
    sealed_at: Mapped[datetime] = now()

    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id", name="audit_seals_one_an_event"),
        ForeignKeyConstraint(
            ["tenant_id", "event_id"],
            ["audit_events.tenant_id", "audit_events.id"],
            name="audit_seals_of_an_event",
        ),
    )


class UnsealedEvent(Base):
    """An event that waits for its seal."""

    __tablename__ = "audit_unsealed"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
