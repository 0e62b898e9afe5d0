"""The tables of callbacks: deliveries, disabled URLs and signing secrets."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base, now


class Callback(Base):
    """One event on its way to a URL. `number` counts the events of a run, over all its URLs.

    `attempts` counts all of them and fences: a late result of an older one changes nothing.
    `tries` counts those since it was last asked for, and is the place in the retry schedule.
    """

    __tablename__ = "callbacks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    # NULL: a test of an endpoint.
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"))
    # NULL: for the run's own `callback_url`. The endpoint may be gone.
    endpoint_id: Mapped[UUID | None]
    number: Mapped[int] = mapped_column(Integer)
    event: Mapped[str]
    url: Mapped[str]
    body: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    next_at: Mapped[datetime] = now()
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = now()
    delivered_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "callbacks_one_for_each_target",
            "run_id",
            "number",
            "endpoint_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=sql("run_id IS NOT NULL"),
        ),
        Index(
            "callbacks_by_endpoint",
            "tenant_id",
            "endpoint_id",
            "id",
            postgresql_where=sql("endpoint_id IS NOT NULL"),
        ),
        Index("callbacks_due", "next_at", postgresql_where=sql("status = 'pending'")),
        Index("callbacks_by_tenant", "tenant_id", "id"),
        Index(
            "callbacks_undelivered",
            "tenant_id",
            "status",
            "id",
            postgresql_where=sql("status <> 'delivered'"),
        ),
        Index(
            "callbacks_ended", "tenant_id", "next_at", postgresql_where=sql("status <> 'pending'")
        ),
        CheckConstraint(
            "status IN ('pending','delivered','dead','disabled')", name="callbacks_status_known"
        ),
        CheckConstraint(
            "(delivered_at IS NOT NULL) = (status = 'delivered')",
            name="callbacks_delivered_with_time",
        ),
    )


class WebhookEndpoint(Base):
    """A URL to which the chosen events of all the tenant's runs are sent."""

    __tablename__ = "webhook_endpoints"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    url: Mapped[str]
    events: Mapped[list[str]]
    created_at: Mapped[datetime] = now()

    __table_args__ = (UniqueConstraint("tenant_id", "url", name="webhook_endpoints_one_a_url"),)


class DisabledUrl(Base):
    """A URL that answered 410 Gone: the tenant's callbacks are not sent there any more."""

    __tablename__ = "disabled_urls"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    url: Mapped[str] = mapped_column(primary_key=True)
    disabled_at: Mapped[datetime] = now()


class WebhookSecret(Base):
    """What a tenant's callbacks are signed with; `shown_at` is NULL until it was shown.

    Kept as it is, since signing needs it. One per tenant does not expire; older ones sign beside
    it until they do.
    """

    __tablename__ = "webhook_secrets"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    secret: Mapped[str]
    created_at: Mapped[datetime] = now()
    shown_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "webhook_secrets_one_live",
            "tenant_id",
            unique=True,
            postgresql_where=sql("expires_at IS NULL"),
        ),
        Index("webhook_secrets_by_tenant", "tenant_id", "id"),
    )
