"""Tell a URL how runs go on: an outbox, the secrets that sign, and the URLs that want no more."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("runs", sa.Column("callback_url", sa.Text(), nullable=True))
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "next_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("run_id", "number"),
        sa.CheckConstraint(
            "status IN ('pending','delivered','dead','disabled')", name="callbacks_status_known"
        ),
        sa.CheckConstraint(
            "(delivered_at IS NOT NULL) = (status = 'delivered')",
            name="callbacks_delivered_with_time",
        ),
    )
    pending, undelivered = sa.text("status = 'pending'"), sa.text("status <> 'delivered'")
    op.create_index("callbacks_due", "callbacks", ["next_at"], postgresql_where=pending)
    op.create_index("callbacks_by_tenant", "callbacks", ["tenant_id", "id"])
    op.create_index(
        "callbacks_undelivered", "callbacks", ["tenant_id", "status", "id"],
        postgresql_where=undelivered,
    )  # fmt: skip
    op.create_table(
        "disabled_urls",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("url", sa.Text(), primary_key=True),
        sa.Column(
            "disabled_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
    )
    op.create_table(
        "webhook_secrets",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index(
        "webhook_secrets_one_live", "webhook_secrets", ["tenant_id"], unique=True,
        postgresql_where=sa.text("expires_at IS NULL"),
    )  # fmt: skip
    op.create_index("webhook_secrets_by_tenant", "webhook_secrets", ["tenant_id", "id"])


def downgrade() -> None:
    op.drop_table("webhook_secrets")
    op.drop_table("disabled_urls")
    op.drop_table("callbacks")
    op.drop_column("runs", "callback_url")
