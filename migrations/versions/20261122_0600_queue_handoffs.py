"""Let hand-offs be closed, and people be full."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "agents", sa.Column("max_load", sa.SmallInteger(), server_default="20", nullable=False)
    )
    op.add_column("handoffs", sa.Column("closed_at", sa.DateTime(timezone=True)))
    op.create_index("handoffs_by_ticket", "handoffs", ["tenant_id", "ticket_id", "id"])


def downgrade() -> None:
    op.drop_index("handoffs_by_ticket", "handoffs")
    op.drop_column("handoffs", "closed_at")
    op.drop_column("agents", "max_load")
