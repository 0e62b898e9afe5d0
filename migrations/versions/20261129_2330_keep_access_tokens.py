"""Keep the access token of a connection, and the lease of the one process that renews it."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Three columns; no token is known yet."""
    op.add_column("connections", sa.Column("tokens", sa.LargeBinary()))
    op.add_column(
        "connections",
        sa.Column("tokens_version", sa.Integer(), server_default="0", nullable=False),
    )
    op.add_column("connections", sa.Column("tokens_leased_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Forget the tokens; connections with a refresh token must be authorised again."""
    for column in ("tokens_leased_until", "tokens_version", "tokens"):
        op.drop_column("connections", column)
