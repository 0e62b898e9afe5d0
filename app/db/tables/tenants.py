"""The tables of those who may: tenants, their policies, their keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now


class Tenant(Base):
    """A company using the service."""

    __tablename__ = "tenants"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kb_version: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = now()

    # That name stands for everyone in the pause switch.
    __table_args__ = (CheckConstraint("id <> '*'", name="tenants_not_everyone"),)


class PolicyVersion(Base):
    """A tenant's policy; the highest version counts, older ones say what a run was held to."""

    __tablename__ = "policies"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = now()


class ApiKey(Base):
    """A key: only the hash of its secret is stored. `approve_limits` is minor units by currency."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    name: Mapped[str]
    secret_sha256: Mapped[bytes]
    scopes: Mapped[list[str]]
    approve_limits: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = now()
    revoked_at: Mapped[datetime | None]
