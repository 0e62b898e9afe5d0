"""Find callbacks that have ended by their age."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_index(
        "callbacks_ended",
        "callbacks",
        ["tenant_id", "next_at"],
        postgresql_where=sa.text("status <> 'pending'"),
    )


def downgrade() -> None:
    op.drop_index("callbacks_ended", table_name="callbacks")
