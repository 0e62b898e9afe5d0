"""Let two people decide about one plan, and remind of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index(
        "runs_merged",
        "runs",
        ["merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.add_column(
        "approvals",
        sa.Column("changed", postgresql.JSONB(), server_default="[]", nullable=False),
    )
    op.add_column(
        "approvals", sa.Column("round", sa.SmallInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "approvals", sa.Column("answers", sa.SmallInteger(), server_default="0", nullable=False)
    )
    op.add_column("approvals", sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True))
    # Until now every approval had at most one answer, and it was to exactly what is stored.
    op.add_column("decisions", sa.Column("number", sa.SmallInteger(), nullable=True))
    op.add_column("decisions", sa.Column("shown_digest", sa.Text(), nullable=True))
    op.add_column("decisions", sa.Column("digest", sa.Text(), nullable=True))
    op.execute(
        "UPDATE decisions SET number = 1, shown_digest = approvals.digest, "
        "digest = approvals.digest FROM approvals WHERE approvals.id = decisions.approval_id"
    )
    op.execute("UPDATE approvals SET answers = 1 WHERE id IN (SELECT approval_id FROM decisions)")
    for column in ("number", "shown_digest", "digest"):
        op.alter_column("decisions", column, nullable=False)
    op.drop_constraint("decisions_pkey", "decisions")
    op.create_primary_key("decisions_pkey", "decisions", ["approval_id", "number"])


def downgrade() -> None:
    # One answer a key is all that the old key can hold; the last one stays.
    op.execute(
        "DELETE FROM decisions AS older USING decisions AS newer "
        "WHERE older.approval_id = newer.approval_id AND older.key_id = newer.key_id "
        "AND older.number < newer.number"
    )
    op.drop_constraint("decisions_pkey", "decisions")
    op.create_primary_key("decisions_pkey", "decisions", ["approval_id", "key_id"])
    for column in ("number", "shown_digest", "digest"):
        op.drop_column("decisions", column)
    for column in ("changed", "round", "answers", "reminded_at"):
        op.drop_column("approvals", column)
    op.drop_index("runs_merged", "runs")
