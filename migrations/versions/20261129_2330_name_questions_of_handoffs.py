"""Name the questions that a hand-off of a part of a ticket is about."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Hand-offs that are open name none, and hold all of their part as before."""
    op.add_column(
        "handoffs",
        sa.Column("questions", postgresql.JSONB(), server_default="[]", nullable=False),
    )


def downgrade() -> None:
    """The column goes; each hand-off of a part holds all of it again."""
    op.drop_column("handoffs", "questions")
