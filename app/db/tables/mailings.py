"""The tables of bulk mail: whom a tenant may write to, and who is on a mailing's list."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, SmallInteger
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now


class Contact(Base):
    """A person whom a tenant may write to. `changed_at` moves when an import changes the row."""

    __tablename__ = "contacts"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    segments: Mapped[list[str]]
    unsubscribed: Mapped[bool] = mapped_column(server_default=sql("false"))
    changed_at: Mapped[datetime] = now()

    __table_args__ = (Index("contacts_by_segment", "segments", postgresql_using="gin"),)


class MailRecipient(Base):
    """One person of a mailing's fixed list: `started` before the mail leaves, its end after it."""

    __tablename__ = "mail_recipients"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    contact_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    email: Mapped[str]
    name: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="waiting")
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[datetime] = now()
    detail: Mapped[str | None]
    changed_at: Mapped[datetime] = now()

    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "key"], ["ledger.tenant_id", "ledger.key"]),
        Index(
            "mail_recipients_waiting", "tenant_id", "key", "due_at", "contact_id",
            postgresql_where=sql("status = 'waiting'"),
        ),
        Index("mail_recipients_by_contact", "tenant_id", "contact_id"),
        CheckConstraint(
            "status IN ('waiting','started','sent','failed','unknown','skipped')",
            name="mail_recipients_status_known",
        ),
    )  # fmt: skip
