"""Index the words of articles in a table of their own, with their rarity in reach."""

import re

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

# As they stood when this was written; the application's own may change later.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f]+"
)
INDEX = sa.text("""
    WITH words AS (
        SELECT word.lexeme, sum(field.factor * cardinality(word.positions)) AS times,
            sum(cardinality(word.positions)) AS length
        FROM (VALUES (CAST(:title AS text), 5), (CAST(:text AS text), 1)) AS field (words, factor),
            unnest(to_tsvector(CAST(:config AS regconfig), field.words)) AS word
        GROUP BY word.lexeme
    )
    INSERT INTO article_terms (tenant_id, term, chunk_id, weight)
    SELECT :tenant_id, lexeme, :id,
        times * 2.2 / (times + 1.2 * (0.6 + 0.4 * sum(length) OVER () / 120))
    FROM words
""")


def spaced(text: str) -> str:
    """Pairs of neighbouring characters in place of words that nobody separates."""
    return UNSPACED.sub(
        lambda run: f" {' '.join(run[0][i : i + 2] for i in range(max(1, len(run[0]) - 1)))} ",
        text,
    )


def upgrade() -> None:
    """Build the index of words from the chunks that are there."""
    op.drop_index("article_chunks_document", table_name="article_chunks", postgresql_using="gin")
    op.drop_column("article_chunks", "document")
    identity = sa.Identity(always=True)
    op.add_column("article_chunks", sa.Column("id", sa.BigInteger(), identity, nullable=False))
    op.create_unique_constraint("article_chunks_id_key", "article_chunks", ["id"])
    op.add_column("article_chunks", sa.Column("embed_not_before", sa.DateTime(timezone=True)))
    op.create_index("article_chunks_by_config", "article_chunks", ["tenant_id", "config"])
    op.create_table(
        "article_terms",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("chunk_id", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.REAL(), nullable=False),
        sa.ForeignKeyConstraint(["chunk_id"], ["article_chunks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "term", "chunk_id"),
    )
    op.create_index(op.f("ix_article_terms_chunk_id"), "article_terms", ["chunk_id"])
    connection = op.get_bind()
    chunks = sa.text("SELECT tenant_id, id, title, text, CAST(config AS text) FROM article_chunks")
    for tenant_id, chunk_id, title, text, config in connection.execute(chunks).all():
        values = {"title": spaced(title), "text": spaced(text), "config": config}
        connection.execute(INDEX, {"tenant_id": tenant_id, "id": chunk_id, **values})


def downgrade() -> None:
    """Back to one vector of words a chunk."""
    op.execute("DROP TABLE IF EXISTS article_embeddings")
    op.drop_table("article_terms")
    op.drop_index("article_chunks_by_config", table_name="article_chunks")
    op.drop_constraint("article_chunks_id_key", "article_chunks")
    op.drop_column("article_chunks", "embed_not_before")
    op.drop_column("article_chunks", "id")
    document = sa.Computed(
        "setweight(to_tsvector(config, title), 'A') || setweight(to_tsvector(config, text), 'C') || to_tsvector('simple', title)",
        persisted=True,
    )
    op.add_column(
        "article_chunks", sa.Column("document", postgresql.TSVECTOR(), document, nullable=False)
    )
    op.create_index(
        "article_chunks_document", "article_chunks", ["document"], postgresql_using="gin"
    )
