"""What is noted on traces, whether a run is traced, under whose run, and each step's own run."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Runs of before are taken for not traced: it is not known any more."""
    op.create_table(
        "trace_notes",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("trace_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid()),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        _time("next_at"),
        sa.Column("last_error", sa.Text()),
        _time("created_at"),
        sa.CheckConstraint("status IN ('pending','sent','dead')", name="trace_notes_status_known"),
        sa.CheckConstraint(
            "key IN ('approval','csat','escalated','grounding','lost')",
            name="trace_notes_key_known",
        ),
    )
    op.create_index(
        "trace_notes_due",
        "trace_notes",
        ["next_at"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("trace_notes_by_age", "trace_notes", ["tenant_id", "created_at"])
    op.add_column(
        "runs", sa.Column("traced", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("runs", sa.Column("trace_parent", sa.Text()))
    op.add_column("steps", sa.Column("trace_run_id", sa.Uuid()))


def downgrade() -> None:
    """Notes that were not sent are lost."""
    op.drop_column("steps", "trace_run_id")
    op.drop_column("runs", "trace_parent")
    op.drop_column("runs", "traced")
    op.drop_table("trace_notes")


def _time(name: str) -> sa.Column[datetime]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )
