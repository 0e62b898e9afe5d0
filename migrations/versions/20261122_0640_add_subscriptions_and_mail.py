"""Subscriptions at the sandbox, contacts, and who gets a mailing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def timestamp(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def upgrade() -> None:
    op.add_column("ledger", sa.Column("progress", postgresql.JSONB(), nullable=True))
    op.create_table(
        "sandbox_subscriptions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("renews_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('active','cancelled')", name="sandbox_subscription_status_known"
        ),
        sa.CheckConstraint(
            "(renews_at IS NOT NULL) = (status = 'active')", name="sandbox_active_renews"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "sandbox_subscriptions_by_customer", "sandbox_subscriptions", ["tenant_id", "customer_id"]
    )
    op.create_table(
        "sandbox_cancellations",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        timestamp("created_at"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "subscription_id"],
            ["sandbox_subscriptions.tenant_id", "sandbox_subscriptions.id"],
        ),
        sa.PrimaryKeyConstraint("tenant_id", "idempotency_key"),
        sa.UniqueConstraint("tenant_id", "subscription_id"),
    )
    op.create_table(
        "sandbox_mails",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        timestamp("created_at"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.PrimaryKeyConstraint("tenant_id", "key"),
    )
    op.create_table(
        "contacts",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("segments", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("unsubscribed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        timestamp("changed_at"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("contacts_by_segment", "contacts", ["segments"], postgresql_using="gin")
    op.create_table(
        "mail_recipients",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        timestamp("due_at"),
        sa.Column("detail", sa.Text(), nullable=True),
        timestamp("changed_at"),
        sa.CheckConstraint(
            "status IN ('waiting','started','sent','failed','unknown','skipped')",
            name="mail_recipients_status_known",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"]),
        sa.ForeignKeyConstraint(["tenant_id", "key"], ["ledger.tenant_id", "ledger.key"]),
        sa.PrimaryKeyConstraint("tenant_id", "key", "contact_id"),
    )
    op.create_index(
        "mail_recipients_waiting",
        "mail_recipients",
        ["tenant_id", "key", "due_at", "contact_id"],
        postgresql_where=sa.text("status = 'waiting'"),
    )


def downgrade() -> None:
    op.drop_table("mail_recipients")
    op.drop_table("contacts")
    op.drop_table("sandbox_mails")
    op.drop_table("sandbox_cancellations")
    op.drop_table("sandbox_subscriptions")
    op.drop_column("ledger", "progress")
