"""Pairs of words and parts of words of chunks, indexed and ranked by BM25 as words are.

A pair such as "wire transfer" says more than its words apart; parts of words find what is
inflected or spelled otherwise. Why, and what it costs: docs/adr/0022-three-rankings-in-postgres.md.
"""

from collections.abc import Sequence

from sqlalchemy import ARRAY, BigInteger, Float, Integer, String, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.types import storable
from app.db.knowledge.bm25 import LENGTH_FACTOR, SATURATION, TITLE_FACTOR, ranking
from app.db.knowledge.tokenize import plain, spaced
from app.db.tables.knowledge import ArticleChunk

# A usual chunk in pairs and in parts of words, as USUAL_LENGTH is in words.
USUAL_PAIRS, USUAL_PARTS = 120, 600

# Neighbours among the words that the language's dictionary keeps: "reset my password" holds the
# pair of "reset" and "password".
ASKED_PAIRS = """
    SELECT DISTINCT number, lexeme || ' ' || follower AS lexeme FROM (
        SELECT part.number, lexeme,
            lead(lexeme) OVER (PARTITION BY part.number, config.name ORDER BY place) AS follower
        FROM unnest(:parts) WITH ORDINALITY AS part (words, number), config,
            unnest(to_tsvector(config.name, part.words)) AS word,
            unnest(word.positions) AS place
    ) AS placed WHERE follower IS NOT NULL
"""
# Four characters of " word ", so that a part knows whether its word begins or ends there.
ASKED_PARTS = """
    SELECT DISTINCT part.number, substr(' ' || word || ' ', place, 4) AS lexeme
    FROM unnest(:parts) WITH ORDINALITY AS part (words, number),
        string_to_table(lower(part.words), ' ') AS word,
        generate_series(1, greatest(1, length(word) - 1)) AS place
    WHERE word <> ''
"""
RANK_BY_PAIRS = ranking("article_ngrams", "ngram", ASKED_PAIRS)
RANK_BY_PARTS = ranking("article_ngrams", "ngram", ASKED_PARTS)

INSERT_NGRAMS = text("""
    WITH field AS MATERIALIZED (
        SELECT * FROM unnest(:ids, :texts, :plain, :factors)
            WITH ORDINALITY AS field (id, words, plain, factor, number)
    ), told AS (
        SELECT id, factor, lexeme || ' ' || follower AS ngram, CAST(:pairs AS float) AS usual
        FROM (
            SELECT id, factor, lexeme,
                lead(lexeme) OVER (PARTITION BY field.number ORDER BY place) AS follower
            FROM field, unnest(to_tsvector(CAST(:config AS regconfig), field.words)) AS word,
                unnest(word.positions) AS place
        ) AS placed WHERE follower IS NOT NULL
        UNION ALL
        SELECT id, factor, substr(' ' || word || ' ', place, 4), CAST(:parts AS float)
        FROM field, string_to_table(lower(field.plain), ' ') AS word,
            generate_series(1, greatest(1, length(word) - 1)) AS place
        WHERE word <> ''
    ), counted AS (
        SELECT id, usual, ngram, sum(factor) AS times, count(*) AS length
        FROM told GROUP BY id, usual, ngram
    )
    INSERT INTO article_ngrams (tenant_id, ngram, chunk_id, weight)
    SELECT :tenant_id, ngram, id, times * (:saturation + 1) / (times + :saturation
        * (1 - :length_factor
            + :length_factor * sum(length) OVER (PARTITION BY id, usual) / usual))
    FROM counted
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    *(bindparam(name, type_=ARRAY(String)) for name in ("texts", "plain")),
    bindparam("factors", type_=ARRAY(Integer)),
    *(bindparam(n, type_=Float) for n in ("saturation", "length_factor", "pairs", "parts")),
)


async def index_ngrams(
    session: AsyncSession,
    tenant_id: str,
    stored: Sequence[ArticleChunk],
    questions: Sequence[str] = (),
) -> None:
    """Write the pairs and parts of words of new chunks of one article.

    The questions that the article answers count as its title does.
    """
    title = "\n".join([stored[0].title, *questions])
    fields = [(c.id, title, TITLE_FACTOR) for c in stored] + [(c.id, c.text, 1) for c in stored]
    ids, texts, factors = map(list, zip(*fields, strict=True))
    values = {
        "tenant_id": tenant_id,
        "config": stored[0].config,
        "ids": ids,
        "texts": [spaced(storable(field)) for field in texts],
        "plain": [plain(storable(field)) for field in texts],
        "factors": factors,
        "saturation": SATURATION,
        "length_factor": LENGTH_FACTOR,
        "pairs": USUAL_PAIRS,
        "parts": USUAL_PARTS,
    }
    await session.execute(INSERT_NGRAMS, values)
