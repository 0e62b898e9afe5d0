"""The tables of tenants: policies, keys, what models cost, trained models, the pause switch."""

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    CheckConstraint,
    Date,
    Double,
    ForeignKey,
    Index,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now

# Stands for every tenant in the pause switch; no tenant can have this id.
EVERYONE = "*"


class Holder(NamedTuple):
    """Who holds a key: its name, and the person behind it if that is known."""

    name: str
    person: str | None


class Tenant(Base):
    """A company using the service."""

    __tablename__ = "tenants"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kb_version: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = now()

    __table_args__ = (CheckConstraint(f"id <> '{EVERYONE}'", name="tenants_not_everyone"),)


class PolicyVersion(Base):
    """A tenant's policy; the highest version counts, older ones say what a run was held to."""

    __tablename__ = "policies"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = now()


class ApiKey(Base):
    """A key: only the hash of its secret is stored. `approve_limits` is minor units by currency.

    `person` names who holds it, so that several keys of theirs, or a key and a sign-in through an
    identity provider, are one person; NULL: the key's name alone says who that is.
    """

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), index=True)
    name: Mapped[str]
    secret_sha256: Mapped[bytes]
    scopes: Mapped[list[str]]
    approve_limits: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = now()
    revoked_at: Mapped[datetime | None]
    person: Mapped[str | None]
    # To some minutes; NULL: never, or not since it is noted.
    last_used_at: Mapped[datetime | None]
    # The key that made it over the API or in the console; NULL: a command did.
    issued_by: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))

    __table_args__ = (Index("api_keys_by_person", "tenant_id", "person"),)


class ModelSpend(Base):
    """Millionths of a US dollar. `held_micro_usd` is set aside for calls that are on their way."""

    __tablename__ = "model_spend"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    micro_usd: Mapped[int] = mapped_column(server_default="0")
    held_micro_usd: Mapped[int] = mapped_column(server_default="0")
    calls: Mapped[int] = mapped_column(server_default="0")
    tokens: Mapped[int] = mapped_column(server_default="0")

    __table_args__ = (
        CheckConstraint(
            "micro_usd >= 0 AND held_micro_usd >= 0 AND calls >= 0 AND tokens >= 0",
            name="model_spend_not_negative",
        ),
    )


class TriageModel(Base):
    """A model that `deskgraph train` made of the tenant's tickets; at most one of them counts.

    `weights` are read by graphs/trained/model.py. From `threshold` on the model is sure enough to
    route a ticket without another model; NULL: never.
    """

    __tablename__ = "triage_models"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    weights: Mapped[bytes]
    threshold: Mapped[float | None] = mapped_column(Double)
    figures: Mapped[dict[str, Any]]
    source: Mapped[str]
    active: Mapped[bool]
    created_at: Mapped[datetime] = now()

    __table_args__ = (
        Index("triage_models_one_active", "tenant_id", unique=True, postgresql_where=sql("active")),
    )


class Pause(Base):
    """A tenant, or everyone, whose replies and effects are held back."""

    __tablename__ = "pauses"

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    paused_at: Mapped[datetime] = now()
    paused_by: Mapped[str]
