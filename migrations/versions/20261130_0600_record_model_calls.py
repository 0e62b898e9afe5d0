"""A row for each model call; what each hour came to; an index of failed steps."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

TIME = sa.DateTime(timezone=True)
USD = sa.Numeric(18, 9)

# What earlier releases wrote with the step. They kept no id and no times of a call.
COPY_CALLS = """
INSERT INTO model_calls (id, tenant_id, run_id, attempt, task_id, node, number, role, tier,
    answered, fallback, repair, reason, input_tokens, cached_tokens, output_tokens, cost_usd,
    error, started_at, duration_ms)
SELECT gen_random_uuid(), s.tenant_id, s.run_id, s.attempt, s.task_id, s.node, 1,
    call ->> 'role', call ->> 'tier', call ->> 'model',
    coalesce((call ->> 'fallback')::bool, false), coalesce((call ->> 'repair')::bool, false),
    call ->> 'reason', coalesce((call ->> 'input_tokens')::bigint, 0),
    coalesce((call ->> 'cached_tokens')::bigint, 0),
    coalesce((call ->> 'output_tokens')::bigint, 0),
    CASE WHEN call ? 'error' THEN 0 ELSE (call ->> 'cost_usd')::numeric END,
    call ->> 'error', s.started_at, coalesce(s.duration_ms, 0)
FROM steps s, jsonb_array_elements(s.model_calls) AS call"""


def upgrade() -> None:
    """Copy the calls out of the steps, whose column stays for releases that still write it."""
    op.create_table(
        "model_calls",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text()),
        sa.Column("tier", sa.Text()),
        sa.Column("asked", sa.Text()),
        sa.Column("answered", sa.Text()),
        sa.Column("prompt_version", sa.Text()),
        sa.Column("fallback", sa.Boolean(), nullable=False),
        sa.Column("repair", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", USD),
        sa.Column("error", sa.Text()),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
    )
    op.execute(COPY_CALLS)
    op.create_index("model_calls_by_run", "model_calls", ["run_id", "started_at"])
    op.create_index("model_calls_by_age", "model_calls", ["tenant_id", "started_at"])
    op.create_index(
        "steps_failed", "steps", ["tenant_id", "node", "run_id"],
        postgresql_where=sa.text("status = 'error'"),
    )  # fmt: skip
    _figures()


def _figures() -> None:
    op.create_table(
        "hourly_figures",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column("hour", TIME, primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("part", sa.Text(), primary_key=True),
        sa.Column("result", sa.Text(), primary_key=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("retries", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", USD, nullable=False),
        sa.Column("unpriced", sa.BigInteger(), nullable=False),
        sa.Column("durations", sa.LargeBinary(), nullable=False),
        sa.Column("sample_run_id", sa.Uuid()),
    )
    op.create_table(
        "figures_rolled_up",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column("upto", TIME, nullable=False),
    )
    op.create_index(
        "runs_by_end", "runs", ["tenant_id", "finished_at"],
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )  # fmt: skip
    op.create_index("approvals_by_end", "approvals", ["tenant_id", "decided_at"])
    op.create_index("decisions_by_time", "decisions", ["tenant_id", "created_at"])
    op.create_index("deliveries_by_end", "deliveries", ["tenant_id", "ended_at"])
    op.create_index("inbox_by_age", "inbox", ["tenant_id", "received_at"])
    op.create_index(
        "inbox_dead", "inbox", ["tenant_id", "received_at"],
        postgresql_where=sa.text("status = 'dead'"),
    )  # fmt: skip
    op.create_index(
        "ledger_of_connections", "ledger", ["tenant_id", "finished_at"],
        postgresql_where=sa.text("connection_id IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    """Drop the rows: earlier releases write calls with the steps again."""
    op.drop_index("ledger_of_connections", "ledger")
    op.drop_index("inbox_dead", "inbox")
    op.drop_index("inbox_by_age", "inbox")
    op.drop_index("deliveries_by_end", "deliveries")
    op.drop_index("decisions_by_time", "decisions")
    op.drop_index("approvals_by_end", "approvals")
    op.drop_index("runs_by_end", "runs")
    op.drop_table("figures_rolled_up")
    op.drop_table("hourly_figures")
    op.drop_index("steps_failed", "steps")
    op.drop_table("model_calls")
