"""Store the triage models that tenants have trained."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """One row a model; at most one of a tenant counts."""
    op.create_table(
        "triage_models",
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("version", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("weights", sa.LargeBinary(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
        ),
    )
    op.create_index(
        "triage_models_one_active",
        "triage_models",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("active"),
    )


def downgrade() -> None:
    """Drop the models; the index goes with the table."""
    op.drop_table("triage_models")
