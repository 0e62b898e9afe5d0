"""Keep what a hand-off suggests, and the questions that an article says it answers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the columns; hand-offs and articles of before have neither."""
    json = postgresql.JSONB()
    op.add_column("handoffs", sa.Column("suggestion", json, nullable=True))
    op.add_column("handoffs", sa.Column("articles", json, server_default="[]", nullable=False))
    questions = postgresql.ARRAY(sa.Text())
    op.add_column(
        "articles", sa.Column("questions", questions, server_default="{}", nullable=False)
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_column("articles", "questions")
    op.drop_column("handoffs", "articles")
    op.drop_column("handoffs", "suggestion")
