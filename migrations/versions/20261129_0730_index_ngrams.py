"""Index pairs of words and parts of words of articles; `deskgraph migrate` then fills the table."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0023"


def upgrade() -> None:
    """A table like that of words."""
    op.create_table(
        "article_ngrams",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("ngram", sa.Text(), nullable=False),
        sa.Column("chunk_id", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.REAL(), nullable=False),
        sa.ForeignKeyConstraint(["chunk_id"], ["article_chunks.id"], ondelete="CASCADE"),
        # With the weight in it a search reads the index alone.
        sa.PrimaryKeyConstraint("tenant_id", "ngram", "chunk_id", postgresql_include=["weight"]),
        sa.Index("ix_article_ngrams_chunk_id", "chunk_id"),
    )


def downgrade() -> None:
    """Drop what was added."""
    op.drop_table("article_ngrams")
