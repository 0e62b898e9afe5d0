"""The tables of the console: who is signed in, and who has claimed or put off what waits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now


class ConsoleSession(Base):
    """A person who is signed in; only the hash of the cookie's id is stored."""

    __tablename__ = "console_sessions"

    id_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    signed_in_with: Mapped[str]
    created_at: Mapped[datetime] = now()
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("console_sessions_by_key", "tenant_id", "key_id"),
        Index("console_sessions_expiring", "expires_at"),
        CheckConstraint(
            "signed_in_with IN ('key','link','oidc')", name="console_sessions_way_known"
        ),
    )


class SignInLink(Base):
    """A link that signs one person in, once; only the hash of its code is stored."""

    __tablename__ = "console_links"

    code_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    created_at: Mapped[datetime] = now()
    expires_at: Mapped[datetime]

    __table_args__ = (Index("console_links_expiring", "expires_at"),)


class Claim(Base):
    """An approval or a hand-off that a person works on; a sign to others, and no lock."""

    __tablename__ = "claims"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    claimed_by: Mapped[str]
    claimed_at: Mapped[datetime] = now()

    __table_args__ = (Index("claims_by_key", "tenant_id", "key_id"),)


class Snooze(Base):
    """An approval or a hand-off that a person's list leaves out until a time."""

    __tablename__ = "snoozes"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"), primary_key=True)
    until: Mapped[datetime]

    __table_args__ = (Index("snoozes_ending", "until"),)
