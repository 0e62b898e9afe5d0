"""The table of policy changes that loosen limits: a second admin confirms or refuses them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now


class PolicyChange(Base):
    """A whole policy that was asked for, instead of the version `base_version`.

    `status` is `pending`, `confirmed`, `refused`, `expired`, or `alone`: applied at once, since the
    tenant had no second admin. `version` is the policy that it became.
    """

    __tablename__ = "policy_changes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    base_version: Mapped[int]
    body: Mapped[dict[str, Any]]
    loosens: Mapped[list[str]]
    asked_key: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    asked_by: Mapped[str]
    created_at: Mapped[datetime] = now()
    expires_at: Mapped[datetime]
    status: Mapped[str]
    version: Mapped[int | None]
    decided_key: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        Index("policy_changes_by_tenant", "tenant_id", "id"),
        Index("policy_changes_expiring", "expires_at", postgresql_where=sql("status = 'pending'")),
        CheckConstraint(
            "status IN ('pending','confirmed','refused','expired','alone')",
            name="policy_changes_status_known",
        ),
        CheckConstraint(
            "(version IS NOT NULL) = (status IN ('confirmed','alone'))",
            name="policy_changes_applied_has_version",
        ),
    )
