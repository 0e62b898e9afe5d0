"""The tables of the sandbox world: a payment provider's books, and the people of a helpdesk."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now

# tools/helpdesk.py makes keys: "handoff:<run>" or "handoff:<run>:<part>".
PART_OF_KEY = "NULLIF(split_part(key, ':', 3), '')"


class Agent(Base):
    """A person who takes hand-offs; hours are local to `timezone`."""

    __tablename__ = "agents"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    skills: Mapped[list[str]]
    timezone: Mapped[str]
    opens_hour: Mapped[int] = mapped_column(SmallInteger)
    closes_hour: Mapped[int] = mapped_column(SmallInteger)
    weekdays: Mapped[list[Any]]
    away: Mapped[bool] = mapped_column(server_default=sql("false"))
    max_load: Mapped[int] = mapped_column(SmallInteger, server_default="20")


class Handoff(Base):
    """A ticket opened for a person; without an agent it waits in the queue."""

    __tablename__ = "handoffs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    key: Mapped[str]
    ticket_id: Mapped[str]
    agent_id: Mapped[str | None]
    skill: Mapped[str]
    urgency: Mapped[str]
    summary: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="open")
    created_at: Mapped[datetime] = now()
    closed_at: Mapped[datetime | None]
    # What the person may answer from; NULL: no suggestion.
    suggestion: Mapped[dict[str, Any] | None]
    articles: Mapped[list[Any]] = mapped_column(server_default="[]")
    # The customer's words of what they ask, of a part; empty where it holds all of the part.
    questions: Mapped[list[Any]] = mapped_column(server_default="[]")
    # Since when it holds its ticket or part: since it was opened, or needed again.
    held_since: Mapped[datetime] = now()
    # The part of the ticket that it is about, as its key names it; null for all of the ticket.
    part: Mapped[str | None] = mapped_column(Computed(PART_OF_KEY, persisted=True))

    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        Index("handoffs_open", "tenant_id", "agent_id", postgresql_where=sql("status = 'open'")),
        Index(
            "handoffs_queued", "tenant_id", "skill", "id",
            postgresql_where=sql("status = 'open' AND agent_id IS NULL"),
        ),
        Index(
            "handoffs_waiting", "tenant_id", "created_at", "id",
            postgresql_where=sql("status = 'open'"),
        ),
        Index("handoffs_by_ticket", "tenant_id", "ticket_id", "id"),
        CheckConstraint("status IN ('open','closed')", name="handoffs_status_known"),
    )  # fmt: skip


class SandboxPayment(Base):
    """A payment at the sandbox provider; it refuses to give back more than was captured."""

    __tablename__ = "sandbox_payments"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    description: Mapped[str]
    amount_minor: Mapped[int]
    refunded_minor: Mapped[int] = mapped_column(server_default="0")
    currency: Mapped[str]
    captured_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(server_default="succeeded")
    disputed: Mapped[bool] = mapped_column(server_default=sql("false"))

    __table_args__ = (
        Index("sandbox_payments_by_customer", "tenant_id", "customer_id"),
        CheckConstraint(
            "refunded_minor BETWEEN 0 AND amount_minor", name="sandbox_refunds_within_captured"
        ),
        CheckConstraint(
            "status IN ('succeeded','pending','failed','refunded','canceled')",
            name="sandbox_payment_status_known",
        ),
    )


class SandboxSubscription(Base):
    """A subscription at the sandbox provider; it renews until it is cancelled."""

    __tablename__ = "sandbox_subscriptions"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    description: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    amount_minor: Mapped[int]
    currency: Mapped[str]
    renews_at: Mapped[datetime | None]

    __table_args__ = (
        Index("sandbox_subscriptions_by_customer", "tenant_id", "customer_id"),
        CheckConstraint(
            "status IN ('active','cancelled')", name="sandbox_subscription_status_known"
        ),
        CheckConstraint(
            "(renews_at IS NOT NULL) = (status = 'active')", name="sandbox_active_renews"
        ),
    )


class SandboxCancellation(Base):
    """A cancellation at the sandbox provider, one per idempotency key."""

    __tablename__ = "sandbox_cancellations"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str]
    subscription_id: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime] = now()

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "subscription_id"],
            ["sandbox_subscriptions.tenant_id", "sandbox_subscriptions.id"],
        ),
        UniqueConstraint("tenant_id", "subscription_id"),
    )


class SandboxMail(Base):
    """A mail that would have been sent, when no mail server is set up."""

    __tablename__ = "sandbox_mails"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    recipient: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    created_at: Mapped[datetime] = now()


class SandboxRefund(Base):
    """A refund at the sandbox provider, one per idempotency key."""

    __tablename__ = "sandbox_refunds"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str]
    payment_id: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime] = now()
    status: Mapped[str] = mapped_column(server_default="succeeded")

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "payment_id"], ["sandbox_payments.tenant_id", "sandbox_payments.id"]
        ),
        CheckConstraint("amount_minor > 0", name="sandbox_refund_positive"),
        CheckConstraint(
            "status IN ('succeeded','pending','failed','requires_action','canceled')",
            name="sandbox_refund_status_known",
        ),
    )
