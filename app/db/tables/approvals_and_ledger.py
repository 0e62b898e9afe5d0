"""The tables of effects: approvals, decisions on them, and the ledger of effects.

Money is `*_minor` (BIGINT) beside an ISO 4217 `currency`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now
from app.lifecycle import ApprovalStatus


class Approval(Base):
    """One open question at a gate. `decision` is the graph's input; it is written once.

    `steps` and `digest` are what is shown now: the first of two approvers may still change them.
    """

    __tablename__ = "approvals"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    ticket_id: Mapped[str]
    interrupt_id: Mapped[str]
    kind: Mapped[str]
    status: Mapped[ApprovalStatus] = mapped_column(server_default="pending")
    steps: Mapped[list[Any]]
    gate: Mapped[list[Any]]
    digest: Mapped[str]
    verdicts: Mapped[list[str]]
    required_approvers: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    changed: Mapped[list[Any]] = mapped_column(server_default="[]")
    round: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    answers: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    decision: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = now()
    expires_at: Mapped[datetime]
    # NULL: no reminder.
    remind_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    # What its ticket is about, as a skill of the people who take hand-offs.
    skill: Mapped[str] = mapped_column(server_default="general")
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("run_id", "interrupt_id"),
        Index("approvals_by_status", "tenant_id", "status", "id"),
        Index(
            "approvals_due",
            "tenant_id",
            "kind",
            "expires_at",
            "id",
            postgresql_where=sql("status = 'pending'"),
        ),
        Index(
            "approvals_due_by_skill",
            "tenant_id",
            "kind",
            "skill",
            "expires_at",
            "id",
            postgresql_where=sql("status = 'pending'"),
        ),
        Index("approvals_by_end", "tenant_id", "decided_at"),
        Index(
            "approvals_waiting_by_ticket",
            "tenant_id",
            "ticket_id",
            postgresql_where=sql("status = 'pending'"),
        ),
        Index("approvals_expiring", "expires_at", postgresql_where=sql("status = 'pending'")),
        Index(
            "approvals_reminding",
            "remind_at",
            postgresql_where=sql("status = 'pending' AND reminded_at IS NULL"),
        ),
        CheckConstraint(
            "(decision IS NULL) = (status IN ('pending','cancelled'))",
            name="approvals_decided_with_decision",
        ),
    )


class Decision(Base):
    """The n-th answer to an approval: the digest that was shown, and that of what was left."""

    __tablename__ = "decisions"

    approval_id: Mapped[UUID] = mapped_column(ForeignKey("approvals.id"), primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    decided_by: Mapped[str]
    # The person whom a key named that may decide for others.
    on_behalf_of: Mapped[str | None]
    verdict: Mapped[str]
    comment: Mapped[str]
    shown_digest: Mapped[str]
    digest: Mapped[str]
    created_at: Mapped[datetime] = now()

    __table_args__ = (Index("decisions_by_time", "tenant_id", "created_at"),)


class LedgerEntry(Base):
    """An effect by business key: `started` before the call, `done` or `failed` after it.

    `connection_id` is the payment provider that the run used; NULL is the sandbox.
    """

    __tablename__ = "ledger"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"), index=True)
    customer_id: Mapped[str]
    tool: Mapped[str]
    step_id: Mapped[str | None]
    approval_id: Mapped[UUID | None] = mapped_column(ForeignKey("approvals.id"))
    args: Mapped[dict[str, Any]]
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None]
    status: Mapped[str]
    progress: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    started_at: Mapped[datetime] = now()
    finished_at: Mapped[datetime | None]
    connection_id: Mapped[str | None]

    __table_args__ = (
        Index("ledger_by_customer", "tenant_id", "customer_id", "started_at"),
        Index(
            "ledger_of_connections",
            "tenant_id",
            "finished_at",
            postgresql_where=sql("connection_id IS NOT NULL"),
        ),
        CheckConstraint("status IN ('started','done','failed')", name="ledger_status_known"),
        CheckConstraint("(result IS NOT NULL) = (status = 'done')", name="ledger_done_has_result"),
    )
