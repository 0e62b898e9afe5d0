"""Which model's vector a chunk has, so that a look for those without one reads none."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

# Not every server has the table of vectors.
KNOWN = sa.text("SELECT to_regclass('article_embeddings') IS NOT NULL")


def upgrade() -> None:
    op.add_column("article_chunks", sa.Column("embedded_with", sa.Text(), nullable=True))
    if op.get_bind().scalar(KNOWN):
        op.execute("""
            UPDATE article_chunks SET embedded_with = known.model
            FROM article_embeddings AS known WHERE known.chunk_id = article_chunks.id""")
    op.create_index("article_chunks_embedded", "article_chunks", ["embedded_with", "id"])


def downgrade() -> None:
    op.drop_index("article_chunks_embedded", table_name="article_chunks")
    op.drop_column("article_chunks", "embedded_with")
