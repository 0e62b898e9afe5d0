"""Pairs of words and parts of words of chunks, indexed and ranked by BM25 as words are.

A pair such as "wire transfer" says more than its words apart; parts of words find what is
inflected or spelled otherwise. Why, and what it costs: docs/adr/0022-three-rankings-in-postgres.md.
"""

from collections.abc import Sequence

from sqlalchemy import ARRAY, BigInteger, Float, Integer, String, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.types import storable
from app.db.knowledge.bm25 import (
    ASKED_WORDS,
    USUAL_LENGTH,
    Terms,
    indexed,
)
from app.db.knowledge.tokenize import plain, spaced
from app.db.tables.knowledge import ArticleChunk

# A usual chunk in parts of words, as USUAL_LENGTH is in words and pairs of them.
USUAL_PARTS = 600

# Two words that share fewer are hardly ever the same word: "salary" and "necessary" share one.
LEAST_PARTS = 3

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
# A pair is looked up in the table of words, where no word has a space.
PAIRS = Terms("article_terms", "term", f"{ASKED_WORDS} UNION ALL {ASKED_PAIRS}")
PARTS = Terms("article_ngrams", "ngram", ASKED_PARTS, LEAST_PARTS)

FOUND_PAIRS = """
    SELECT id, factor, lexeme || ' ' || follower AS term FROM (
        SELECT id, factor, lexeme,
            lead(lexeme) OVER (PARTITION BY field.number ORDER BY place) AS follower
        FROM field, unnest(to_tsvector(CAST(:config AS regconfig), field.words)) AS word,
            unnest(word.positions) AS place
    ) AS placed WHERE follower IS NOT NULL
"""
PARTS_OF_WORDS = """
    SELECT id, factor, substr(' ' || word || ' ', place, 4) AS term
    FROM field, string_to_table(field.words, ' ') AS word,
        generate_series(1, greatest(1, length(word) - 1)) AS place
    WHERE word <> ''
"""
INSERT = """
    WITH field AS MATERIALIZED (
        SELECT * FROM unnest(:ids, :texts, :factors)
            WITH ORDINALITY AS field (id, words, factor, number)
    ), found AS (
        {found}
    ), counted AS (
        SELECT id, term, sum(factor) AS times, count(*) AS length FROM found GROUP BY id, term
    )
    INSERT INTO {table} SELECT :tenant_id, term, id, times * (:saturation + 1) / (times
        + :saturation * (1 - :length_factor
            + :length_factor * sum(length) OVER (PARTITION BY id) / :usual))
    FROM counted
"""


def _insert(columns: str, found: str) -> TextClause:
    statement = INSERT.replace("{found}", found).replace("{table}", columns)
    return text(statement).bindparams(
        bindparam("ids", type_=ARRAY(BigInteger)),
        bindparam("texts", type_=ARRAY(String)),
        bindparam("factors", type_=ARRAY(Integer)),
        *(bindparam(name, type_=Float) for name in ("saturation", "length_factor", "usual")),
    )


INSERT_PAIRS = _insert("article_terms (tenant_id, term, chunk_id, weight)", FOUND_PAIRS)
INSERT_PARTS = _insert("article_ngrams (tenant_id, ngram, chunk_id, weight)", PARTS_OF_WORDS)


async def index_ngrams(
    session: AsyncSession,
    tenant_id: str,
    stored: Sequence[ArticleChunk],
    questions: Sequence[str] = (),
) -> None:
    """Write the pairs and parts of words of new chunks of one article.

    The questions that the article answers count as its title does.
    """
    values = indexed(tenant_id, stored, questions)
    texts = list(map(storable, values["texts"]))
    pairs = {"config": stored[0].config, "texts": list(map(spaced, texts)), "usual": USUAL_LENGTH}
    await session.execute(INSERT_PAIRS, values | pairs)
    parts = {"texts": list(map(plain, texts)), "usual": USUAL_PARTS}
    await session.execute(INSERT_PARTS, values | parts)
