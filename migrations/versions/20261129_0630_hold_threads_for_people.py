"""Hold threads for people: who took a ticket over, and what an open hand-off keeps silent."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

TIME = sa.DateTime(timezone=True)
NOW = sa.text("now()")


def upgrade() -> None:
    """Hand-offs that are open hold their tickets since they were opened, not since now."""
    op.create_table(
        "takeovers",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("ticket_id", sa.Text(), primary_key=True),
        sa.Column("handled_by", sa.Text(), nullable=False),
        sa.Column("handled_since", TIME, server_default=NOW, nullable=False),
    )
    op.add_column("handoffs", sa.Column("held_since", TIME, server_default=NOW, nullable=False))
    op.execute("UPDATE handoffs SET held_since = created_at")
    part = sa.Computed("NULLIF(split_part(key, ':', 3), '')", persisted=True)
    op.add_column("handoffs", sa.Column("part", sa.Text(), part))
    ignored = sa.text("outcome = 'ignored'")
    op.create_index("runs_ignored", "runs", ["finished_at"], postgresql_where=ignored)


def downgrade() -> None:
    """Drop what was added."""
    op.drop_index("runs_ignored", "runs")
    op.drop_column("handoffs", "part")
    op.drop_column("handoffs", "held_since")
    op.drop_table("takeovers")
