"""Store how good a ticket's answer was found."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

FITS = "scale = 'stars' AND score BETWEEN 1 AND 5 OR scale = 'thumbs' AND score IN (-1, 1)"


def upgrade() -> None:
    """One row a rating."""
    op.create_table(
        "feedback",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Text(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("scale", sa.Text(), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False, server_default=""),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
        ),
        sa.CheckConstraint(FITS, name="feedback_fits_its_scale"),
    )
    op.create_index("feedback_by_ticket", "feedback", ["tenant_id", "ticket_id", "id"])
    op.create_index("feedback_by_run", "feedback", ["run_id"])


def downgrade() -> None:
    """Drop the ratings; the indexes go with the table."""
    op.drop_table("feedback")
