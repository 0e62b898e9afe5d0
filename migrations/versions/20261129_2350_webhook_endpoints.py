"""Endpoints of a tenant's webhooks; a callback may be for one of them, and of no run."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0035"
down_revision = "0034"

ONE = "callbacks_run_id_number_key"
EACH = "callbacks_one_for_each_target"


def upgrade() -> None:
    """One event of a run may go to several URLs, under one number."""
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.UniqueConstraint("tenant_id", "url", name="webhook_endpoints_one_a_url"),
    )
    op.add_column("callbacks", sa.Column("endpoint_id", sa.Uuid()))
    op.alter_column("callbacks", "run_id", nullable=True)
    op.drop_constraint(ONE, "callbacks")
    op.create_index(
        EACH,
        "callbacks",
        ["run_id", "number", "endpoint_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )


def downgrade() -> None:
    """What was for endpoints is not sent any more."""
    op.execute("DELETE FROM callbacks WHERE endpoint_id IS NOT NULL OR run_id IS NULL")
    op.drop_index(EACH, "callbacks")
    op.create_unique_constraint(ONE, "callbacks", ["run_id", "number"])
    op.alter_column("callbacks", "run_id", nullable=False)
    op.drop_column("callbacks", "endpoint_id")
    op.drop_table("webhook_endpoints")
