"""Approvals name the skill that they ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0042"


def upgrade() -> None:
    """What waits already gets the skill of what its ticket is about; the rest is not listed."""
    op.add_column(
        "approvals", sa.Column("skill", sa.Text(), server_default="general", nullable=False)
    )
    op.execute("""
        UPDATE approvals SET skill = about.intent FROM (
            SELECT DISTINCT ON (runs.id) runs.id, named.intent FROM runs
            CROSS JOIN LATERAL jsonb_array_elements_text(
                CASE jsonb_typeof(runs.summary #> '{triage,intents}')
                    WHEN 'array' THEN runs.summary #> '{triage,intents}' ELSE '[]' END
            ) WITH ORDINALITY AS named (intent, place)
            WHERE runs.status = 'interrupted' AND named.intent <> 'escalate'
            ORDER BY runs.id, named.place
        ) AS about
        WHERE about.id = approvals.run_id AND approvals.status = 'pending'
    """)
    op.create_index(
        "approvals_due_by_skill",
        "approvals",
        ["tenant_id", "kind", "skill", "expires_at", "id"],
        postgresql_where=sa.text("status = 'pending'"),
    )


def downgrade() -> None:
    """Approvals name no skill again."""
    op.drop_index("approvals_due_by_skill", "approvals")
    op.drop_column("approvals", "skill")
