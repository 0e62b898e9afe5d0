"""Keys say when they were used last, and by which key they were issued."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0036"


def upgrade() -> None:
    """NULL: not used since, or made by a command."""
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True)))
    op.add_column("api_keys", sa.Column("issued_by", sa.Text(), sa.ForeignKey("api_keys.id")))


def downgrade() -> None:
    """Whose use is not known any more."""
    op.drop_column("api_keys", "issued_by")
    op.drop_column("api_keys", "last_used_at")
