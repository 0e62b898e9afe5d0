"""Give payments and refunds of the sandbox a status, and payments a mark for a dispute."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

SUCCEEDED = sa.text("'succeeded'")


def upgrade() -> None:
    """What stands there has succeeded, and nothing of it is under dispute."""
    for table in ("sandbox_payments", "sandbox_refunds"):
        op.add_column(
            table, sa.Column("status", sa.Text(), server_default=SUCCEEDED, nullable=False)
        )
    op.add_column(
        "sandbox_payments",
        sa.Column("disputed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_check_constraint(
        "sandbox_payment_status_known",
        "sandbox_payments",
        "status IN ('succeeded','pending','failed','refunded','canceled')",
    )
    op.create_check_constraint(
        "sandbox_refund_status_known",
        "sandbox_refunds",
        "status IN ('succeeded','pending','failed','requires_action','canceled')",
    )


def downgrade() -> None:
    """The constraints go with their columns."""
    op.drop_column("sandbox_payments", "disputed")
    for table in ("sandbox_payments", "sandbox_refunds"):
        op.drop_column(table, "status")
