"""The queue of hand-offs by skill, so that each skill's turn reads its own."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_index(
        "handoffs_queued",
        "handoffs",
        ["tenant_id", "skill", "id"],
        postgresql_where=sa.text("status = 'open' AND agent_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("handoffs_queued", table_name="handoffs")
