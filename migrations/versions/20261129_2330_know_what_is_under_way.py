"""Know what is under way at connected systems: posts, calls of a provider, tokens that end."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

TIME = sa.DateTime(timezone=True)
# What the inbox is asked for when a person's hook or a hand-back comes.
OWNERSHIP = sa.text("event ->> 'kind' IN ('person','handback')")


def upgrade() -> None:
    """A post that has begun, the provider of an effect, the end of a token, an index on hooks."""
    op.add_column("deliveries", sa.Column("posting_since", TIME))
    op.add_column("ledger", sa.Column("connection_id", sa.Text()))
    # A call whose end is unknown was made at the provider that is connected now.
    op.execute("""
        UPDATE ledger SET connection_id = connections.id FROM connections
        WHERE connections.tenant_id = ledger.tenant_id AND connections.role = 'payments'
            AND connections.removed_at IS NULL AND ledger.status = 'started'
    """)
    op.add_column("connections", sa.Column("expires_at", TIME))
    op.add_column("connections", sa.Column("expiry_warned_at", TIME))
    op.create_index(
        "inbox_ownership",
        "inbox",
        ["connection_id", sa.text("(event ->> 'ticket_id')")],
        postgresql_where=OWNERSHIP,
    )


def downgrade() -> None:
    """Forget it; a call of unknown end is then looked up at the provider of the day."""
    op.drop_index("inbox_ownership", "inbox")
    op.drop_column("connections", "expiry_warned_at")
    op.drop_column("connections", "expires_at")
    op.drop_column("ledger", "connection_id")
    op.drop_column("deliveries", "posting_since")
