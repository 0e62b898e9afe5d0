"""The tables of connections: outside systems, what their hooks said, and what they are to get."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Integer, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now


class Connection(Base):
    """An outside system that a tenant connected. Credentials and secrets are encrypted.

    `key_id` is the key without a scope that starts the runs of its hooks. `paused_because` is set
    while nothing is sent there. `not_before` is until when the system asked to be left alone.
    `cursor` is how far a mailbox was read, `leased_until` until when one worker reads it.
    `tokens` is the access token where it is one that ends, encrypted; one process renews it, until
    `tokens_leased_until`, and `tokens_version` fences what another one still brings.
    `expires_at` is when the credentials end, `expiry_warned_at` when that was said in the log.
    A removed connection stays, without its credentials, since its tickets name it.
    """

    __tablename__ = "connections"

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    kind: Mapped[str]
    role: Mapped[str]
    name: Mapped[str]
    settings: Mapped[dict[str, Any]]
    credentials: Mapped[bytes | None]
    secrets: Mapped[bytes | None]
    tokens: Mapped[bytes | None]
    tokens_version: Mapped[int] = mapped_column(Integer, server_default="0")
    tokens_leased_until: Mapped[datetime | None]
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    paused_because: Mapped[str | None]
    not_before: Mapped[datetime | None]
    cursor: Mapped[dict[str, Any] | None]
    leased_until: Mapped[datetime | None]
    last_hook_at: Mapped[datetime | None]
    last_write_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    last_error_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = now()
    removed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    expiry_warned_at: Mapped[datetime | None]

    __table_args__ = (
        Index("connections_by_tenant", "tenant_id", "id"),
        Index(
            "connections_one_for_payments",
            "tenant_id",
            unique=True,
            postgresql_where=sql("role = 'payments' AND removed_at IS NULL"),
        ),
        CheckConstraint("role IN ('desk','payments')", name="connections_role_known"),
        CheckConstraint(
            "(credentials IS NULL) = (removed_at IS NOT NULL)", name="connections_removed_is_empty"
        ),
    )


class InboxItem(Base):
    """One fact of a hook, which is kept once for its delivery and once for its message.

    It holds no word of a customer: the ticket is read where it is.
    """

    __tablename__ = "inbox"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    delivery_id: Mapped[str]
    message_id: Mapped[str | None]
    event: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(server_default="new")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    next_at: Mapped[datetime] = now()
    note: Mapped[str | None]
    received_at: Mapped[datetime] = now()

    __table_args__ = (
        UniqueConstraint("connection_id", "delivery_id"),
        Index(
            "inbox_one_of_a_message",
            "connection_id",
            "message_id",
            unique=True,
            postgresql_where=sql("message_id IS NOT NULL"),
        ),
        Index("inbox_due", "next_at", postgresql_where=sql("status = 'new'")),
        Index("inbox_by_tenant", "tenant_id", "id"),
        Index("inbox_by_age", "tenant_id", "received_at"),
        Index("inbox_dead", "tenant_id", "received_at", postgresql_where=sql("status = 'dead'")),
        Index(
            "inbox_ownership",
            "connection_id",
            sql("(event ->> 'ticket_id')"),
            postgresql_where=sql("event ->> 'kind' IN ('person','handback')"),
        ),
        CheckConstraint("status IN ('new','done','dead')", name="inbox_status_known"),
    )


class Delivery(Base):
    """Something on its way to a desk: a reply, a draft that may not be public, or a hand-off.

    `key` names the message or the hand-off that it is about, where the words stand. `attempts`
    counts all tries and fences: a late result of an older one changes nothing. `desk_id` is what
    the desk calls what it got. `posting_since` is when the claimed attempt began to post a reply.
    """

    __tablename__ = "deliveries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    ticket_id: Mapped[str]
    kind: Mapped[str]
    key: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    next_at: Mapped[datetime] = now()
    desk_id: Mapped[str | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = now()
    ended_at: Mapped[datetime | None]
    posting_since: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "key"),
        Index("deliveries_due", "next_at", postgresql_where=sql("status = 'pending'")),
        Index("deliveries_by_ticket", "tenant_id", "ticket_id", "id"),
        Index("deliveries_by_end", "tenant_id", "ended_at"),
        Index("deliveries_by_connection", "connection_id", "id"),
        CheckConstraint(
            "kind IN ('reply','draft','handoff','fields')", name="deliveries_kind_known"
        ),
        CheckConstraint(
            "status IN ('pending','sent','overtaken','closed','gone','refused','failed',"
            "'cancelled')",
            name="deliveries_status_known",
        ),
        CheckConstraint(
            "(ended_at IS NULL) = (status = 'pending')", name="deliveries_end_with_time"
        ),
    )
