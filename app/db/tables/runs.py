"""The tables of runs: their messages, steps, workers and rates.

A tenant's row carries the tenant; constraints keep the promises. Money is `*_minor` (BIGINT) beside
an ISO 4217 `currency`.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    UniqueConstraint,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.core.base import Base, now
from app.db.tables.figures import ModelCall
from app.lifecycle import RunStatus


class Run(Base):
    """One customer message, from the request to the reply. `seq` orders the runs of a thread."""

    __tablename__ = "runs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Identity(always=True), unique=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    thread_id: Mapped[UUID]
    ticket_id: Mapped[str]
    customer_id: Mapped[str]
    ticket: Mapped[dict[str, Any]]
    status: Mapped[RunStatus] = mapped_column(server_default="pending")
    outcome: Mapped[str | None]
    # The column is named for what it held at first.
    result: Mapped[dict[str, Any]] = mapped_column("summary", server_default="{}")
    error: Mapped[dict[str, Any] | None]
    attempt: Mapped[int] = mapped_column(server_default="0")
    losses: Mapped[int] = mapped_column(server_default="0")
    worker_id: Mapped[int | None]
    cancel_requested_at: Mapped[datetime | None]
    policy_version: Mapped[int]
    started_by: Mapped[str] = mapped_column(ForeignKey("api_keys.id"))
    idempotency_key: Mapped[str | None]
    request_sha256: Mapped[bytes]
    caller_metadata: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    callback_url: Mapped[str | None]
    trace_id: Mapped[UUID | None]
    # Whether the newest execution's trace is sent: tracing was on, and the policy's share has it.
    traced: Mapped[bool] = mapped_column(server_default=sql("false"))
    # A caller's own run in LangSmith, as its `langsmith-trace` header names it.
    trace_parent: Mapped[str | None]
    replay_of: Mapped[UUID | None]
    replay_from: Mapped[dict[str, Any] | None]
    dry_run: Mapped[bool] = mapped_column(server_default=sql("false"))
    graph_version: Mapped[str | None]
    checkpoints_pruned_at: Mapped[datetime | None]
    limited_by: Mapped[str | None]
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"))
    tokens: Mapped[int] = mapped_column(server_default="0")
    cost_usd: Mapped[Decimal | None] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = now()
    not_before: Mapped[datetime] = now()
    queued_at: Mapped[datetime] = now()
    # From when a worker may take it from the queue; null: it is not on the queue.
    queued_for: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        # A run that began holds its thread until it is final, through pauses and lost workers:
        # a second one would drop the open gate. See docs/adr/0002.
        Index(
            "runs_one_live_per_thread",
            "thread_id",
            unique=True,
            postgresql_where=sql("started_at IS NOT NULL AND finished_at IS NULL"),
        ),
        Index(
            "runs_idempotency",
            "tenant_id",
            "idempotency_key",
            unique=True,
            postgresql_where=sql("idempotency_key IS NOT NULL"),
        ),
        Index(
            "runs_open_by_thread", "thread_id", "seq", postgresql_where=sql("finished_at IS NULL")
        ),
        Index("runs_by_thread", "thread_id", "seq"),
        Index("runs_running_by_worker", "worker_id", postgresql_where=sql("status = 'running'")),
        Index("runs_due", "queued_at", postgresql_where=sql("status = 'pending'")),
        Index("runs_queue", "queued_for", "seq", postgresql_where=sql("queued_for IS NOT NULL")),
        Index(
            "runs_running_by_customer",
            "tenant_id",
            "customer_id",
            postgresql_where=sql("status = 'running'"),
        ),
        Index(
            "runs_pending_by_customer",
            "tenant_id",
            "customer_id",
            "not_before",
            "seq",
            postgresql_where=sql("status = 'pending'"),
        ),
        Index(
            "runs_pending_by_tenant",
            "tenant_id",
            "not_before",
            "seq",
            postgresql_where=sql("status = 'pending'"),
        ),
        Index("runs_merged", "merged_into", postgresql_where=sql("merged_into IS NOT NULL")),
        Index("runs_by_tenant", "tenant_id", "id"),
        Index(
            "runs_to_prune",
            "tenant_id",
            "finished_at",
            postgresql_where=sql("checkpoints_pruned_at IS NULL AND finished_at IS NOT NULL"),
        ),
        Index(
            "runs_by_end",
            "tenant_id",
            "finished_at",
            postgresql_where=sql("finished_at IS NOT NULL"),
        ),
        Index("runs_ignored", "finished_at", postgresql_where=sql("outcome = 'ignored'")),
        Index(
            "runs_ended_badly",
            "tenant_id",
            "status",
            "id",
            postgresql_where=sql("status IN ('error','timeout','cancelled')"),
        ),
        Index("runs_costly", "tenant_id", "cost_usd", postgresql_where=sql("cost_usd > 0")),
        Index(
            "runs_by_outcome",
            "tenant_id",
            "outcome",
            "id",
            postgresql_where=sql("outcome IS NOT NULL"),
        ),
        Index("runs_lost", "tenant_id", "id", postgresql_where=sql("losses > 0")),
        Index(
            "runs_from_cache",
            "tenant_id",
            "id",
            postgresql_where=sql("""summary @> '{"cache_hit": true}'"""),
        ),
        Index(
            "runs_refused",
            "tenant_id",
            "id",
            postgresql_where=sql(
                """summary @> '{"verdicts": [{"supported": false}]}'
                OR summary @> '{"escalation": {"reason": "no_valid_reply"}}'"""
            ),
        ),
        Index(
            "runs_by_connection",
            "tenant_id",
            sql("((ticket -> 'connection') ->> 'id')"),
            "id",
            postgresql_where=sql("ticket -> 'connection' ->> 'id' IS NOT NULL"),
        ),
        Index("runs_by_creation", "tenant_id", "created_at"),
        Index("runs_replays", "tenant_id", "id", postgresql_where=sql("replay_of IS NOT NULL")),
        Index(
            "runs_by_error",
            "tenant_id",
            sql("(error ->> 'type')"),
            "id",
            postgresql_where=sql("error IS NOT NULL"),
        ),
        Index("runs_by_ticket", "tenant_id", "ticket_id", "id"),
        Index("runs_by_customer", "tenant_id", "customer_id", "id"),
        CheckConstraint(
            "status IN ('pending','running','interrupted','success','error','timeout','cancelled')",
            name="runs_status_known",
        ),
        CheckConstraint(
            "(finished_at IS NOT NULL) = (status IN ('success','error','timeout','cancelled'))",
            name="runs_finished_when_final",
        ),
        CheckConstraint(
            "merged_into IS NULL OR status = 'cancelled'", name="runs_merged_is_cancelled"
        ),
    )


class Worker(Base):
    """A worker process and when it last renewed its lease."""

    __tablename__ = "workers"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    beat_at: Mapped[datetime] = now()


class Rate(Base):
    """When the next run of a scope is due: of a customer, or of the whole tenant."""

    __tablename__ = "rates"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    tat: Mapped[datetime]


class Message(Base):
    """One message of a ticket's conversation, by the customer, deskgraph or a person."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    ticket_id: Mapped[str]
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"))
    author: Mapped[str]
    key: Mapped[str]
    text: Mapped[str]
    citations: Mapped[list[str]] = mapped_column(server_default="{}")
    public: Mapped[bool] = mapped_column(server_default=sql("true"))
    created_at: Mapped[datetime] = now()

    __table_args__ = (
        # The business key makes a repeated reply the first one.
        UniqueConstraint("tenant_id", "key"),
        Index("messages_by_ticket", "tenant_id", "ticket_id", "id"),
        Index("messages_by_run", "run_id"),
        CheckConstraint(
            "author IN ('customer','deskgraph','person')", name="messages_author_known"
        ),
    )


class Step(Base):
    """One node execution, as the API shows it. `task_id` is LangGraph's."""

    __tablename__ = "steps"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Identity(always=True))
    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"))
    node: Mapped[str]
    tries: Mapped[int] = mapped_column(Integer, server_default="1")
    status: Mapped[str]
    checkpoint_id: Mapped[str | None]
    input: Mapped[dict[str, Any] | None]
    output: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    # Written by earlier releases only, which may still run while this one starts.
    old_model_calls: Mapped[list[Any]] = mapped_column("model_calls", server_default="[]")
    tokens: Mapped[int] = mapped_column(server_default="0")
    cost_usd: Mapped[Decimal | None] = mapped_column(server_default="0")
    started_at: Mapped[datetime]
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    # The node's run in LangSmith, of its last try.
    trace_run_id: Mapped[UUID | None]
    model_calls: Mapped[list[ModelCall]] = relationship(
        primaryjoin="and_(Step.run_id == foreign(ModelCall.run_id),"
        " Step.attempt == foreign(ModelCall.attempt), Step.task_id == foreign(ModelCall.task_id))",
        order_by=[ModelCall.started_at, ModelCall.id],
        viewonly=True,
        lazy="raise",
    )

    __table_args__ = (
        Index("steps_by_run", "tenant_id", "run_id", "seq"),
        Index("steps_by_age", "tenant_id", "started_at"),
        Index("steps_by_node", "tenant_id", "node", "run_id"),
        Index(
            "steps_failed", "tenant_id", "node", "run_id", postgresql_where=sql("status = 'error'")
        ),
    )
