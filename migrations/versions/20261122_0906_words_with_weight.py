"""Keep a word's weight in the index that finds it: a search then reads no row of words."""

from alembic import op

revision = "0018"
down_revision = "0017"

CHANGE = """
    ALTER TABLE article_terms DROP CONSTRAINT article_terms_pkey,
        ADD CONSTRAINT article_terms_pkey PRIMARY KEY (tenant_id, term, chunk_id) {}"""


def upgrade() -> None:
    op.execute(CHANGE.format("INCLUDE (weight)"))


def downgrade() -> None:
    op.execute(CHANGE.format(""))
