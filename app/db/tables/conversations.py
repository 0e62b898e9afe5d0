"""The tables about customers: summaries of tickets, who took one over, and who was erased."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now


class ConversationSummary(Base):
    """The running summary of a ticket, of one customer's part in it.

    `upto_seq` is the `seq` of the last run that it covers. A worker that refreshes it holds `claim`
    until `claimed_until`; tokens and cost are those of all refreshes.
    """

    __tablename__ = "thread_summaries"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    upto_seq: Mapped[int] = mapped_column(server_default="0")
    text: Mapped[str] = mapped_column(server_default="")
    model: Mapped[str | None]
    tokens: Mapped[int] = mapped_column(server_default="0")
    cost_usd: Mapped[Decimal | None] = mapped_column(server_default="0")
    claim: Mapped[UUID | None]
    claimed_until: Mapped[datetime | None]
    updated_at: Mapped[datetime] = now()


class Feedback(Base):
    """How good a customer, or a person for them, finds what a ticket was answered.

    `score` is as it was given on its `scale`: 1 to 5 stars, or a thumb of -1 or 1.
    """

    __tablename__ = "feedback"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    ticket_id: Mapped[str]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    scale: Mapped[str]
    score: Mapped[int]
    comment: Mapped[str] = mapped_column(server_default="")
    given_by: Mapped[str]
    created_at: Mapped[datetime] = now()

    __table_args__ = (
        CheckConstraint(
            "scale = 'stars' AND score BETWEEN 1 AND 5 OR scale = 'thumbs' AND score IN (-1, 1)",
            name="feedback_fits_its_scale",
        ),
        Index("feedback_by_ticket", "tenant_id", "ticket_id", "id"),
        Index("feedback_by_run", "run_id"),
    )


class Takeover(Base):
    """A ticket that a person has taken over; while the row stands the bot is silent there."""

    __tablename__ = "takeovers"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(primary_key=True)
    handled_by: Mapped[str]
    handled_since: Mapped[datetime] = now()


class PseudonymSalt(Base):
    """The secret that turns a tenant's customer ids into pseudonyms. See docs/adr/0012."""

    __tablename__ = "pseudonym_salts"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    salt: Mapped[bytes]
    created_at: Mapped[datetime] = now()


class Erasure(Base):
    """Who had a customer erased, when, and what that came to; never the customer's own id."""

    __tablename__ = "erasures"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    pseudonym: Mapped[str]
    erased_by: Mapped[str]
    counts: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = now()

    __table_args__ = (Index("erasures_by_tenant", "tenant_id", "id"),)
