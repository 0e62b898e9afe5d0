"""Rates by customer and tenant, why a run waits, and runs merged into others."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

PENDING = sa.text("status = 'pending'")


def upgrade() -> None:
    op.create_table(
        "rates",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("tat", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.PrimaryKeyConstraint("tenant_id", "scope"),
    )
    op.add_column("runs", sa.Column("limited_by", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.create_foreign_key(None, "runs", "runs", ["merged_into"], ["id"])
    op.create_check_constraint(
        "runs_merged_is_cancelled", "runs", "merged_into IS NULL OR status = 'cancelled'"
    )
    op.create_index(
        "runs_running_by_customer",
        "runs",
        ["tenant_id", "customer_id"],
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index(
        "runs_pending_by_customer",
        "runs",
        ["tenant_id", "customer_id", "not_before", "seq"],
        postgresql_where=PENDING,
    )
    op.create_index(
        "runs_pending_by_tenant",
        "runs",
        ["tenant_id", "not_before", "seq"],
        postgresql_where=PENDING,
    )


def downgrade() -> None:
    op.drop_index("runs_pending_by_tenant", "runs")
    op.drop_index("runs_pending_by_customer", "runs")
    op.drop_index("runs_running_by_customer", "runs")
    op.drop_constraint("runs_merged_is_cancelled", "runs")
    op.drop_column("runs", "merged_into")
    op.drop_column("runs", "limited_by")
    op.drop_table("rates")
