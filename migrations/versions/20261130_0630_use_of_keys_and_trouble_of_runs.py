"""Keys say when they were used last; runs are found by what they cost."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0037"


def upgrade() -> None:
    """NULL: not used since, or made by a command."""
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True)))
    op.add_column("api_keys", sa.Column("issued_by", sa.Text(), sa.ForeignKey("api_keys.id")))

    op.create_index("runs_costly", "runs", ["tenant_id", "cost_usd"],
                    postgresql_where=sa.text("cost_usd > 0"))  # fmt: skip
    op.create_index(
        "runs_ended_badly",
        "runs",
        ["tenant_id", "status", "id"],
        postgresql_where=sa.text("status IN ('error','timeout','cancelled')"),
    )
    op.create_index(
        "approvals_waiting_by_ticket",
        "approvals",
        ["tenant_id", "ticket_id"],
        postgresql_where=sa.text("status = 'pending'"),
    )


def downgrade() -> None:
    """Whose use is not known any more."""
    op.drop_index("approvals_waiting_by_ticket", "approvals")
    op.drop_index("runs_ended_badly", "runs")
    op.drop_index("runs_costly", "runs")
    op.drop_column("api_keys", "issued_by")
    op.drop_column("api_keys", "last_used_at")
