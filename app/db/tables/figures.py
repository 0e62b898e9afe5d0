"""The tables of figures: every call of a model, and what each hour came to."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base


class ModelCall(Base):
    """One call of a model, written when it ended; `id` is that of its run in LangSmith.

    `task_id` names the step that made it, and is empty for a call outside of the graph, such as
    the one that refreshes a summary. `number` is the node's try within the step. `cost_usd` is
    NULL for an unknown price. `fallback`: it stood in for the role's own model, because of
    `reason`; `repair`: it was asked again after an answer that broke the schema.
    """

    __tablename__ = "model_calls"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    attempt: Mapped[int]
    task_id: Mapped[str]
    node: Mapped[str]
    number: Mapped[int] = mapped_column(Integer)
    role: Mapped[str | None]
    tier: Mapped[str | None]
    asked: Mapped[str | None]
    answered: Mapped[str | None]
    prompt_version: Mapped[str | None]
    fallback: Mapped[bool]
    repair: Mapped[bool]
    reason: Mapped[str | None]
    input_tokens: Mapped[int]
    cached_tokens: Mapped[int]
    output_tokens: Mapped[int]
    cost_usd: Mapped[Decimal | None]
    error: Mapped[str | None]
    started_at: Mapped[datetime]
    duration_ms: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        Index("model_calls_by_run", "run_id", "started_at"),
        Index("model_calls_by_age", "tenant_id", "started_at"),
        Index("model_calls_by_model", "tenant_id", sql("(coalesce(answered, asked))"), "run_id"),
        Index(
            "model_calls_failed",
            "tenant_id",
            "error",
            "run_id",
            postgresql_where=sql("error IS NOT NULL"),
        ),
        Index("model_calls_of_fallbacks", "tenant_id", "run_id", postgresql_where=sql("fallback")),
    )


class HourlyFigure(Base):
    """What one hour of a tenant came to, of one `subject`, for one name, part and result.

    `durations` are those of the hour in milliseconds, 4 bytes each in network order: percentiles
    of any window are exact, since it is a list of them. `sample_run_id` is the newest run.
    """

    __tablename__ = "hourly_figures"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    result: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    retries: Mapped[int]
    tokens: Mapped[int]
    cost_usd: Mapped[Decimal]
    unpriced: Mapped[int]
    durations: Mapped[bytes]
    sample_run_id: Mapped[UUID | None]


class FiguresRolledUp(Base):
    """Up to which hour a tenant's figures of a subject are in `hourly_figures`."""

    __tablename__ = "figures_rolled_up"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    upto: Mapped[datetime]
