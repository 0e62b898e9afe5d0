"""Add the console: sessions, sign-in links, claims and snoozes; the person behind a key."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

TIME = sa.DateTime(timezone=True)
NOW = sa.text("now()")


def upgrade() -> None:
    """Four tables, a column, and the indexes that the inbox is read by."""
    op.add_column("api_keys", sa.Column("person", sa.Text()))
    op.create_index("api_keys_by_person", "api_keys", ["tenant_id", "person"])
    _sessions()
    _claims()
    op.create_index(
        "approvals_due", "approvals", ["tenant_id", "kind", "expires_at", "id"],
        postgresql_where=sa.text("status = 'pending'"),
    )  # fmt: skip
    op.create_index(
        "handoffs_waiting", "handoffs", ["tenant_id", "created_at", "id"],
        postgresql_where=sa.text("status = 'open'"),
    )  # fmt: skip


def downgrade() -> None:
    """Drop what was added."""
    op.drop_index("handoffs_waiting", "handoffs")
    op.drop_index("approvals_due", "approvals")
    for table in ("snoozes", "claims", "console_links", "console_sessions"):
        op.drop_table(table)
    op.drop_index("api_keys_by_person", "api_keys")
    op.drop_column("api_keys", "person")


def _sessions() -> None:
    op.create_table(
        "console_sessions",
        sa.Column("id_sha256", sa.LargeBinary(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("key_id", sa.Text(), sa.ForeignKey("api_keys.id"), nullable=False),
        sa.Column("signed_in_with", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.CheckConstraint(
            "signed_in_with IN ('key','link','oidc')", name="console_sessions_way_known"
        ),
    )
    op.create_index("console_sessions_by_key", "console_sessions", ["tenant_id", "key_id"])
    op.create_index("console_sessions_expiring", "console_sessions", ["expires_at"])
    op.create_table(
        "console_links",
        sa.Column("code_sha256", sa.LargeBinary(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("key_id", sa.Text(), sa.ForeignKey("api_keys.id"), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
    )
    op.create_index("console_links_expiring", "console_links", ["expires_at"])


def _claims() -> None:
    op.create_table(
        "claims",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("item_id", sa.Uuid(), primary_key=True),
        sa.Column("key_id", sa.Text(), sa.ForeignKey("api_keys.id"), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=False),
        sa.Column("claimed_at", TIME, server_default=NOW, nullable=False),
    )
    op.create_index("claims_by_key", "claims", ["tenant_id", "key_id"])
    op.create_table(
        "snoozes",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("item_id", sa.Uuid(), primary_key=True),
        sa.Column("key_id", sa.Text(), sa.ForeignKey("api_keys.id"), primary_key=True),
        sa.Column("until", TIME, nullable=False),
    )
    op.create_index("snoozes_ending", "snoozes", ["until"])
