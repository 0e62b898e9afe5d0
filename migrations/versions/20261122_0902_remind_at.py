"""When an open approval is to be reminded of, so that a look reads only those that are due."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("approvals", sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("""
        UPDATE approvals SET remind_at = created_at + (expires_at - created_at) * 0.75
        WHERE status = 'pending' AND reminded_at IS NULL""")
    op.create_index(
        "approvals_reminding",
        "approvals",
        ["remind_at"],
        postgresql_where=sa.text("status = 'pending' AND reminded_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("approvals_reminding", table_name="approvals")
    op.drop_column("approvals", "remind_at")
