"""Replays, the version of a run's graph, leases of workers, and what retention looks for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("runs", sa.Column("replay_from", postgresql.JSONB(), nullable=True))
    op.add_column(
        "runs",
        sa.Column("dry_run", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("runs", sa.Column("graph_version", sa.Text(), nullable=True))
    op.add_column(
        "runs", sa.Column("checkpoints_pruned_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "runs_to_prune",
        "runs",
        ["tenant_id", "finished_at"],
        postgresql_where=sa.text("checkpoints_pruned_at IS NULL AND finished_at IS NOT NULL"),
    )
    op.create_index("steps_by_age", "steps", ["tenant_id", "started_at"])
    op.create_table(
        "workers",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "beat_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("workers")
    op.drop_index("steps_by_age", table_name="steps")
    op.drop_index("runs_to_prune", table_name="runs")
    for column in ("checkpoints_pruned_at", "graph_version", "dry_run", "replay_from"):
        op.drop_column("runs", column)
