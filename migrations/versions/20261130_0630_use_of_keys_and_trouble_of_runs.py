"""Keys say when they were used last; runs are found by what failed, was refused, or cost much."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0036"


def upgrade() -> None:
    """NULL: not used since, or made by a command."""
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True)))
    op.add_column("api_keys", sa.Column("issued_by", sa.Text(), sa.ForeignKey("api_keys.id")))

    op.create_index("runs_costly", "runs", ["tenant_id", "cost_usd"],
                    postgresql_where=sa.text("cost_usd > 0"))  # fmt: skip
    op.create_index("steps_failed", "steps", ["tenant_id", "node", "run_id"],
                    postgresql_where=sa.text("status = 'error'"))  # fmt: skip
    op.create_index(
        "steps_refused", "steps", ["tenant_id", "run_id"],
        postgresql_where=sa.text(
            "node = 'check' AND output #> '{objections,0}' IS NOT NULL"
        ),
    )  # fmt: skip
    # Else Postgres takes the condition above for one that nearly every step fulfils.
    op.execute("CREATE STATISTICS steps_objections ON (output #> '{objections,0}') FROM steps")
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
    op.execute("DROP STATISTICS steps_objections")
    op.drop_index("steps_refused", "steps")
    op.drop_index("steps_failed", "steps")
    op.drop_index("runs_costly", "runs")
    op.drop_column("api_keys", "issued_by")
    op.drop_column("api_keys", "last_used_at")
