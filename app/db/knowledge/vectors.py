"""Vectors of chunks, in a table that exists only where the server has pgvector."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import errors
from sqlalchemy import ARRAY, BigInteger, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.knowledge.bm25 import Hit
from app.db.tables.knowledge import ArticleChunk

LEASE_SECONDS = 120


class ChunkText(NamedTuple):
    """What of a chunk is embedded: its article's title, its text, and what the article answers.

    `heading` is the title with the questions that the article declares.
    """

    id: int
    title: str
    text: str
    heading: str


CREATE_TABLE = b"""
    CREATE EXTENSION IF NOT EXISTS vector;
    CREATE TABLE IF NOT EXISTS article_embeddings (
        chunk_id bigint REFERENCES article_chunks (id) ON DELETE CASCADE,
        tenant_id text NOT NULL,
        model text NOT NULL,
        embedding vector NOT NULL,
        part smallint NOT NULL DEFAULT 0,
        PRIMARY KEY (chunk_id, part)
    );
    CREATE INDEX IF NOT EXISTS article_embeddings_by_tenant
        ON article_embeddings (tenant_id, model);
    CREATE INDEX IF NOT EXISTS article_embeddings_by_dimensions
        ON article_embeddings (model, vector_dims(embedding))
"""
# A release before this one kept one vector of a chunk. Its processes cannot write here any more.
ADD_PARTS = b"""
    ALTER TABLE article_embeddings
        ADD COLUMN part smallint NOT NULL DEFAULT 0,
        DROP CONSTRAINT article_embeddings_pkey,
        ADD PRIMARY KEY (chunk_id, part)
"""
HAS_PARTS = """
    SELECT EXISTS (SELECT FROM pg_attribute
        WHERE attrelid = to_regclass('article_embeddings') AND attname = 'part')
"""
# A table that was lost, with a server that had no pgvector for a while, is filled again.
CLEAR_EMBEDDED_WITH = (
    "UPDATE article_chunks SET embedded_with = NULL WHERE embedded_with IS NOT NULL"
)

# Three ranges of one index: with nothing to do, each is empty and no chunk is read.
CLAIM_CHUNKS = text("""
    WITH stale AS (
        (SELECT id FROM article_chunks
            WHERE embedded_with IS NULL AND coalesce(embed_not_before < now(), true)
            ORDER BY id LIMIT :limit)
        UNION ALL (SELECT id FROM article_chunks
            WHERE embedded_with < :model AND coalesce(embed_not_before < now(), true)
            ORDER BY embedded_with, id LIMIT :limit)
        UNION ALL (SELECT id FROM article_chunks
            WHERE embedded_with > :model AND coalesce(embed_not_before < now(), true)
            ORDER BY embedded_with, id LIMIT :limit)
    )
    UPDATE article_chunks AS claimed
    SET embed_not_before = now() + make_interval(secs => :lease)
    FROM articles AS article
    WHERE claimed.id IN (
        SELECT chunk.id FROM stale JOIN article_chunks AS chunk USING (id)
        WHERE coalesce(chunk.embed_not_before < now(), true)
        ORDER BY chunk.id LIMIT :limit FOR UPDATE OF chunk SKIP LOCKED
    ) AND article.tenant_id = claimed.tenant_id AND article.id = claimed.article_id
    RETURNING claimed.id, claimed.title, claimed.text, article.questions
""")

INSERT_VECTOR = text("""
    WITH stored AS (
        INSERT INTO article_embeddings (chunk_id, part, tenant_id, model, embedding)
        SELECT id, :part, tenant_id, :model, CAST(:embedding AS vector)
        FROM article_chunks WHERE id = :id
        ON CONFLICT (chunk_id, part) DO UPDATE
            SET model = excluded.model, embedding = excluded.embedding
        RETURNING chunk_id
    )
    UPDATE article_chunks SET embedded_with = :model FROM stored WHERE id = stored.chunk_id
""")

DELETE_OLDER = text("""
    DELETE FROM article_embeddings WHERE chunk_id = ANY(:chunks)
""").bindparams(bindparam("chunks", type_=ARRAY(BigInteger)))

DELETE_OTHER_DIMENSIONS = text("""
    WITH gone AS (
        DELETE FROM article_embeddings WHERE model = :model
            AND (vector_dims(embedding) < :dimensions OR vector_dims(embedding) > :dimensions)
        RETURNING chunk_id
    )
    UPDATE article_chunks SET embedded_with = NULL FROM gone WHERE id = gone.chunk_id
""")

# A vector of zeros has no direction: its distance is NaN, which would be first in the order.
SELECT_NEAREST = text("""
    WITH asked AS MATERIALIZED (
        SELECT CAST(written AS vector) AS vector FROM unnest(:asked) AS written
    ), stored AS MATERIALIZED (
        SELECT chunk_id, embedding FROM article_embeddings
        WHERE tenant_id = :tenant_id AND model = :model AND vector_dims(embedding) = :dimensions
    ), near AS (
        SELECT chunk_id, min(stored.embedding <=> asked.vector) AS distance
        FROM stored, asked GROUP BY chunk_id
    ), ranked AS (
        SELECT DISTINCT ON (chunk.article_id) chunk.article_id, chunk.id, 1 - distance AS score
        FROM near JOIN article_chunks AS chunk ON chunk.id = near.chunk_id
        WHERE chunk.tenant_id = :tenant_id
        ORDER BY chunk.article_id, score DESC, chunk.position
    )
    SELECT article_id, id, score FROM ranked
    WHERE score < 'NaN' ORDER BY score DESC, article_id LIMIT :limit
""").bindparams(bindparam("asked", type_=ARRAY(ArticleChunk.text.type)))

SELECT_TABLE = text("SELECT to_regclass('article_embeddings') IS NOT NULL")


def create_table(connection: psycopg.Connection[Any]) -> str | None:
    """Make the table if the server has pgvector; otherwise why there is none."""
    available = "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"
    if connection.execute(available).fetchone() is None:
        return "this Postgres has no pgvector, so articles are searched by their words alone"
    known = connection.execute(b"SELECT to_regclass('article_embeddings')").fetchone()
    try:
        connection.execute(CREATE_TABLE)
    except errors.InsufficientPrivilege:
        return "this user may not CREATE EXTENSION vector; let an administrator do it once"
    if known == (None,):
        connection.execute(CLEAR_EMBEDDED_WITH)
    elif connection.execute(HAS_PARTS).fetchone() == (False,):
        connection.execute(ADD_PARTS)
    return None


async def has_table(session: AsyncSession) -> bool:
    """Whether `deskgraph migrate` found pgvector."""
    return bool(await session.scalar(SELECT_TABLE))


async def count_stale(session: AsyncSession, model: str) -> int:
    """How many chunks of all tenants have no vector of this model."""
    other = ArticleChunk.embedded_with.is_distinct_from(model)
    return await session.scalar(select(func.count()).where(other)) or 0


async def claim_chunks(session: AsyncSession, model: str, limit: int) -> list[ChunkText]:
    """Claim chunks without a vector of this model for LEASE_SECONDS."""
    values = {"model": model, "limit": limit, "lease": LEASE_SECONDS}
    rows = await session.execute(CLAIM_CHUNKS, values)
    return [
        ChunkText(chunk_id, title, content, "\n".join([title, *questions]))
        for chunk_id, title, content, questions in rows
    ]


async def store_vectors(
    session: AsyncSession, model: str, vectors: Mapping[int, Sequence[Sequence[float]]]
) -> None:
    """Write the vectors of chunks that still exist; those of another dimension go."""
    dimensions = len(next(iter(vectors.values()))[0])
    await session.execute(DELETE_OTHER_DIMENSIONS, {"model": model, "dimensions": dimensions})
    # Another model may have read them in more parts.
    await session.execute(DELETE_OLDER, {"chunks": list(vectors)})
    rows = [
        {"id": chunk_id, "part": part, "model": model, "embedding": literal(vector)}
        for chunk_id, parts in vectors.items()
        for part, vector in enumerate(parts)
    ]
    await session.execute(INSERT_VECTOR, rows)


async def nearest_chunks(
    session: AsyncSession,
    tenant_id: str,
    model: str,
    asked: Sequence[Sequence[float]],
    limit: int,
) -> list[Hit]:
    """The nearest chunk of each article to any of the vectors, nearest first, by cosine."""
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "model": model,
        "dimensions": len(asked[0]),
        "asked": [literal(vector) for vector in asked],
        "limit": limit,
    }
    rows = await session.execute(SELECT_NEAREST, values)
    return [Hit(article_id, chunk_id, float(score)) for article_id, chunk_id, score in rows]


def literal(vector: Sequence[float]) -> str:
    """pgvector's way to write a vector."""
    return f"[{','.join(map(repr, vector))}]"
