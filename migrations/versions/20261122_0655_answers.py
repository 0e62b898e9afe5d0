"""Keep checked replies for those who ask the same."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column(
        "tenants", sa.Column("kb_version", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.create_table(
        "answers",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("question_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("kb_version", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("answer", postgresql.JSONB(), nullable=False),
        sa.Column("asked", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("customers", postgresql.ARRAY(postgresql.BYTEA()), nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cardinality(customers) BETWEEN 1 AND 2", name="answers_have_customers"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.PrimaryKeyConstraint(
            "tenant_id", "question_sha256", "language", "kb_version", "policy_version"
        ),
    )
    op.create_index("answers_expiring", "answers", ["expires_at"])


def downgrade() -> None:
    op.drop_index("answers_expiring", "answers")
    op.drop_table("answers")
    op.drop_column("tenants", "kb_version")
