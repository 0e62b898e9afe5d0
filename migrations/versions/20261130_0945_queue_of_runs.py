"""The queue of runs is in their own rows, instead of a job beside each."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0039"


def upgrade() -> None:
    """What waits is put on it; the jobs of today's release find their runs there, or claimed."""
    op.add_column("runs", sa.Column("queued_for", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE runs SET queued_for = greatest(queued_at, not_before) WHERE status = 'pending'"
    )
    op.create_index(
        "runs_queue",
        "runs",
        ["queued_for", "seq"],
        postgresql_where=sa.text("queued_for IS NOT NULL"),
    )


def downgrade() -> None:
    """What waits has no job then: the older release finds it overdue, and gives it one."""
    op.drop_index("runs_queue", "runs")
    op.drop_column("runs", "queued_for")
