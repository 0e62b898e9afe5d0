"""Connect outside systems: connections, what their hooks said, and what they are to get."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0026"

TIME = sa.DateTime(timezone=True)
NOW = sa.text("now()")
PENDING = sa.text("status = 'pending'")


def upgrade() -> None:
    """Three tables; a ticket names its connection in its own id."""
    _connections()
    _inbox()
    _deliveries()


def downgrade() -> None:
    """Drop them; their indexes go with them."""
    for table in ("deliveries", "inbox", "connections"):
        op.drop_table(table)


def _connections() -> None:
    op.create_table(
        "connections",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("credentials", sa.LargeBinary()),
        sa.Column("secrets", sa.LargeBinary()),
        sa.Column("key_id", sa.Text(), sa.ForeignKey("api_keys.id"), nullable=False),
        sa.Column("paused_because", sa.Text()),
        sa.Column("not_before", TIME),
        sa.Column("cursor", postgresql.JSONB()),
        sa.Column("leased_until", TIME),
        sa.Column("last_hook_at", TIME),
        sa.Column("last_write_at", TIME),
        sa.Column("last_error", sa.Text()),
        sa.Column("last_error_at", TIME),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("removed_at", TIME),
        sa.CheckConstraint("role IN ('desk','payments')", name="connections_role_known"),
        sa.CheckConstraint(
            "(credentials IS NULL) = (removed_at IS NOT NULL)", name="connections_removed_is_empty"
        ),
    )
    op.create_index("connections_by_tenant", "connections", ["tenant_id", "id"])
    live = sa.text("role = 'payments' AND removed_at IS NULL")
    op.create_index(
        "connections_one_for_payments", "connections", ["tenant_id"],
        unique=True, postgresql_where=live,
    )  # fmt: skip


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("connection_id", sa.Text(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text()),
        sa.Column("event", postgresql.JSONB(), nullable=False),
        sa.Column("status", sa.Text(), server_default="new", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", TIME, server_default=NOW, nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("received_at", TIME, server_default=NOW, nullable=False),
        sa.UniqueConstraint("connection_id", "delivery_id"),
        sa.CheckConstraint("status IN ('new','done','dead')", name="inbox_status_known"),
    )
    named = sa.text("message_id IS NOT NULL")
    op.create_index(
        "inbox_one_of_a_message", "inbox", ["connection_id", "message_id"],
        unique=True, postgresql_where=named,
    )  # fmt: skip
    new = sa.text("status = 'new'")
    op.create_index("inbox_due", "inbox", ["next_at"], postgresql_where=new)
    op.create_index("inbox_by_tenant", "inbox", ["tenant_id", "id"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("connection_id", sa.Text(), sa.ForeignKey("connections.id"), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", TIME, server_default=NOW, nullable=False),
        sa.Column("desk_id", sa.Text()),
        sa.Column("last_error", sa.Text()),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("ended_at", TIME),
        sa.UniqueConstraint("tenant_id", "kind", "key"),
        sa.CheckConstraint(
            "kind IN ('reply','draft','handoff','fields')", name="deliveries_kind_known"
        ),
        sa.CheckConstraint(
            "status IN ('pending','sent','overtaken','closed','gone','refused','failed',"
            "'cancelled')",
            name="deliveries_status_known",
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (status = 'pending')", name="deliveries_end_with_time"
        ),
    )
    op.create_index("deliveries_due", "deliveries", ["next_at"], postgresql_where=PENDING)
    op.create_index("deliveries_by_ticket", "deliveries", ["tenant_id", "ticket_id", "id"])
    op.create_index("deliveries_by_connection", "deliveries", ["connection_id", "id"])
