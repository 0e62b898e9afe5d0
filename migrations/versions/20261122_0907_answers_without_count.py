"""Drop how often a kept answer was asked for: nothing read it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.drop_column("answers", "asked")


def downgrade() -> None:
    op.add_column(
        "answers", sa.Column("asked", sa.BigInteger(), server_default="1", nullable=False)
    )
