"""BM25 over a table of words: index chunks, and rank the chunks of a tenant for a question.

Postgres' own ts_rank knows no rarity: a word that stands in every article counts as much as one
that stands in a single one. Source of the formula: Robertson, Zaragoza, The Probabilistic
Relevance Framework: BM25 and Beyond (2009), 3.4, with fields summed before saturation (3.6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Float,
    Integer,
    String,
    bindparam,
    column,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.compiled import CompiledStatement, Executor
from app.db.core.types import storable
from app.db.knowledge.tokenize import parts, spaced
from app.db.tables.knowledge import ArticleChunk

# Chosen by the measurement in docs/retrieval.md.
TITLE_FACTOR = 5
SATURATION = 1.2
LENGTH_FACTOR = 0.4
# What all parts together add to the best of them: what a letter is about beside each question.
WHOLE_SHARE = 0.5
# A search reads the rarest words until so many rows are read: the rest hardly change the order,
# and a knowledge base of any size is searched in about the same time.
MAX_MATCHES = 15_000
# To know which terms are rare, so many rows of each are counted, in the order of the chunks' ids.
# How often a term with more occurs follows from how far among the ids these reach.
MAX_COUNTED = 500
# From so many chunks on, few terms fit into those bounds, and these say little alone. So fewer rows
# are read and counted, and the best chunks by them are then looked up under more terms, which is
# cheaper and nearer to what a search without bounds finds (docs/adr/0045).
LARGE_CHUNKS = 10_000
MAX_MATCHES_OF_LARGE, MAX_COUNTED_OF_LARGE = 5_000, 100
LOOKED_UP_CHUNKS, LOOKED_UP_TERMS = 100, 40
# Up to so many chunks of a tenant are counted: with more, a rare word is rarer than it seems.
MAX_CHUNKS = 50_000
# Of two articles that say the same, the one in the customer's language comes first.
SAME_LANGUAGE = 1.2
# A usual chunk in words, instead of an average that every edit would change.
USUAL_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Hit:
    """The best chunk of an article; `score` compares within one search only."""

    article_id: str
    chunk_id: int
    score: float


INSERT_TERMS = text("""
    WITH words AS (
        SELECT field.id, word.lexeme, sum(field.factor * cardinality(word.positions)) AS times,
            sum(cardinality(word.positions)) AS length
        FROM unnest(:ids, :texts, :factors) AS field (id, words, factor),
            unnest(to_tsvector(CAST(:config AS regconfig), field.words)) AS word
        GROUP BY field.id, word.lexeme
    )
    INSERT INTO article_terms (tenant_id, term, chunk_id, weight)
    SELECT :tenant_id, lexeme, id, times * (:saturation + 1) / (times + :saturation
        * (1 - :length_factor + :length_factor * sum(length) OVER (PARTITION BY id) / :usual))
    FROM words
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("texts", type_=ARRAY(String)),
    bindparam("factors", type_=ARRAY(Integer)),
    *(bindparam(name, type_=Float) for name in ("saturation", "length_factor", "usual")),
)

RANKING = """
    WITH RECURSIVE after (name) AS (
        SELECT min(config) FROM article_chunks WHERE tenant_id = :tenant_id
        UNION ALL
        SELECT (SELECT min(config) FROM article_chunks
            WHERE tenant_id = :tenant_id AND config > after.name)
        FROM after WHERE name IS NOT NULL
    ), config AS MATERIALIZED (
        SELECT CAST(name AS regconfig) AS name FROM after WHERE name IS NOT NULL
    ), asked AS MATERIALIZED (
        SELECT number, lexeme, CAST(row_number() OVER (
            PARTITION BY lexeme ORDER BY number) = 1 AS integer) AS first,
            count(*) OVER (PARTITION BY number) AS terms
        FROM (
            {asked}
        ) AS word
    ), counted AS MATERIALIZED (
        SELECT lexeme, chunks, lowest, highest
        FROM (SELECT lexeme FROM asked WHERE first = 1) AS term, LATERAL (
            SELECT count(*) AS chunks, min(chunk_id) AS lowest, max(chunk_id) AS highest FROM (
                SELECT chunk_id FROM {table}
                WHERE tenant_id = :tenant_id AND {table}.{column} = term.lexeme
                ORDER BY chunk_id LIMIT {max_counted}
            ) AS begun
        ) AS found WHERE chunks > 0
    ), frequency AS (
        SELECT lexeme, all_chunks, CASE WHEN chunks < {max_counted} THEN chunks
            ELSE least(all_chunks, chunks * greatest(all_chunks, last_id - first_id + 1)
                / (highest - first_id + 1)) END AS chunks
        FROM counted, (SELECT CAST(:chunks AS float) AS all_chunks) AS total,
            (SELECT min(lowest) AS first_id, max(highest) AS last_id FROM counted) AS reach
{best}    ), ranked AS (
        SELECT DISTINCT ON (chunk.article_id) chunk.article_id, chunk.id, score * CASE
            WHEN CAST(chunk.config AS text) = :config THEN {same_language} ELSE 1 END AS score
        FROM best, LATERAL (
            SELECT * FROM article_chunks
            WHERE id = chunk_id AND tenant_id = :tenant_id LIMIT 1
        ) AS chunk
        ORDER BY chunk.article_id, score DESC, chunk.position
    )
    SELECT article_id, id, score FROM ranked ORDER BY score DESC, article_id LIMIT :limit
"""
# Every chunk that the rarest terms lead to, by all of these.
BY_RARE_TERMS = """
    ), rare AS MATERIALIZED (
        SELECT lexeme, ln(1 + (all_chunks - chunks + 0.5) / (chunks + 0.5)) AS idf
        FROM (
            SELECT lexeme, chunks, all_chunks,
                sum(chunks) OVER (ORDER BY chunks, lexeme) AS so_far
            FROM frequency
        ) AS by_rarity
        WHERE so_far - chunks < {max_matches}
    ), best AS (
        SELECT chunk_id, max(score) + {whole_share} * sum(of_whole) AS score FROM (
            SELECT chunk_id, number, sum(weight * idf) AS score,
                sum(weight * idf * first) AS of_whole
            FROM rare JOIN asked USING (lexeme), LATERAL (
                SELECT chunk_id, weight FROM {table}
                WHERE tenant_id = :tenant_id AND {table}.{column} = rare.lexeme
                ORDER BY chunk_id LIMIT {max_matches}
            ) AS posting
            GROUP BY chunk_id, number
            HAVING count(*) >= least({least}, max(terms))
        ) AS of_part GROUP BY chunk_id ORDER BY score DESC, chunk_id LIMIT 4 * :limit
"""
# The best chunks that the rarest terms lead to, by more terms than these.
BY_LOOKED_UP_TERMS = """
    ), rated AS MATERIALIZED (
        SELECT lexeme, so_far - chunks < {max_matches} AS is_rare,
            ln(1 + (all_chunks - chunks + 0.5) / (chunks + 0.5)) AS idf
        FROM (
            SELECT lexeme, chunks, all_chunks,
                sum(chunks) OVER (ORDER BY chunks, lexeme) AS so_far
            FROM frequency
        ) AS by_rarity
        ORDER BY chunks, lexeme LIMIT {looked_up_terms}
    ), candidate AS MATERIALIZED (
        SELECT chunk_id FROM rated, LATERAL (
            SELECT chunk_id, weight FROM {table}
            WHERE tenant_id = :tenant_id AND {table}.{column} = rated.lexeme
            ORDER BY chunk_id LIMIT {max_matches}
        ) AS posting
        WHERE is_rare
        GROUP BY chunk_id ORDER BY sum(weight * idf) DESC, chunk_id LIMIT {looked_up_chunks}
    ), best AS (
        SELECT chunk_id, max(score) + {whole_share} * sum(of_whole) AS score FROM (
            SELECT chunk_id, number, sum(weight * idf) AS score,
                sum(weight * idf * first) AS of_whole
            FROM (
                SELECT lexeme, idf, candidate.chunk_id, weight FROM rated, candidate, LATERAL (
                    SELECT weight FROM {table}
                    WHERE tenant_id = :tenant_id AND {table}.{column} = rated.lexeme
                        AND {table}.chunk_id = candidate.chunk_id LIMIT 1
                ) AS posting
            ) AS found JOIN asked USING (lexeme)
            GROUP BY chunk_id, number
            HAVING count(*) >= least({least}, max(terms))
        ) AS of_part GROUP BY chunk_id ORDER BY score DESC, chunk_id LIMIT 4 * :limit
"""
# How the words of a question's parts are read; each of the tenant's languages has its own stems.
ASKED_WORDS = """
    SELECT DISTINCT part.number, word.lexeme
    FROM unnest(:parts) WITH ORDINALITY AS part (words, number), config,
        unnest(to_tsvector(config.name, part.words)) AS word
"""


class Terms(NamedTuple):
    """One index to rank by: its table, its column of terms, and how those asked for are read.

    A part of the question must share `least` terms with a chunk, or all that it has.
    """

    table: str
    column: str
    asked: str
    least: int = 1


WORDS = Terms("article_terms", "term", ASKED_WORDS)


@cache
def select_ranked(terms: Terms, *, large: bool) -> CompiledStatement:
    """A term counts once for the whole question, with the first part that holds it."""
    bounds = {
        "max_counted": MAX_COUNTED_OF_LARGE if large else MAX_COUNTED,
        "max_matches": MAX_MATCHES_OF_LARGE if large else MAX_MATCHES,
        "looked_up_chunks": LOOKED_UP_CHUNKS,
        "looked_up_terms": LOOKED_UP_TERMS,
    }
    known = {
        **terms._asdict(),
        **bounds,
        "whole_share": WHOLE_SHARE,
        "same_language": SAME_LANGUAGE,
    }
    best = (BY_LOOKED_UP_TERMS if large else BY_RARE_TERMS).format_map(known)
    statement = text(RANKING.format_map({**known, "best": best})).bindparams(
        bindparam("parts", type_=ARRAY(String)),
        bindparam("config", type_=String),
        bindparam("chunks", type_=Integer),
    )
    return CompiledStatement(statement.columns(*map(column, ("article_id", "id", "score"))))


async def index_chunks(
    session: AsyncSession,
    tenant_id: str,
    stored: Sequence[ArticleChunk],
    questions: Sequence[str] = (),
) -> None:
    """Write the words of new chunks of one article; they are found when the transaction ends.

    The questions that the article answers count as its title does.
    """
    values = indexed(tenant_id, stored, questions)
    texts = {"config": stored[0].config, "texts": list(map(spaced, values["texts"]))}
    await session.execute(INSERT_TERMS, values | texts | {"usual": USUAL_LENGTH})


def indexed(
    tenant_id: str, stored: Sequence[ArticleChunk], questions: Sequence[str]
) -> dict[str, Any]:
    """What every index is made of: ids, texts and factors, those of titles and questions first."""
    title = "\n".join([stored[0].title, *questions])
    return {
        "tenant_id": tenant_id,
        "ids": [chunk.id for chunk in stored] * 2,
        "texts": [title] * len(stored) + [chunk.text for chunk in stored],
        "factors": [TITLE_FACTOR] * len(stored) + [1] * len(stored),
        "saturation": SATURATION,
        "length_factor": LENGTH_FACTOR,
    }


async def count_chunks(executor: Executor, tenant_id: str) -> int:
    """How many chunks the tenant has, up to MAX_CHUNKS: what makes a term rare."""
    [(counted,)] = await _count_chunks().rows(executor, tenant=tenant_id)
    return int(counted)


@cache
def _count_chunks() -> CompiledStatement:
    mine = select(literal(1)).where(ArticleChunk.tenant_id == bindparam("tenant"))
    return CompiledStatement(select(func.count()).select_from(mine.limit(MAX_CHUNKS).subquery()))


async def rank_chunks(
    executor: Executor,
    tenant_id: str,
    asked: Sequence[str],
    config: str,
    limit: int,
    terms: Terms = WORDS,
    chunks: int | None = None,
) -> list[Hit]:
    """The best chunk of each article that shares a term with `asked_parts`, best first.

    The question is read in every language the tenant's articles are written in. `chunks` is how
    many the tenant has, as `count_chunks` says; without it they are counted.
    """
    if not asked:
        return []
    values = {"parts": list(asked), "config": config, "limit": limit}
    if chunks is None:
        chunks = await count_chunks(executor, tenant_id)
    ranked = select_ranked(terms, large=chunks >= LARGE_CHUNKS)
    found = await ranked.rows(executor, tenant_id=tenant_id, chunks=chunks, **values)
    return [Hit(article_id, chunk_id, float(score)) for article_id, chunk_id, score in found]


def asked_parts(queries: Sequence[str]) -> list[str]:
    """The parts of a question that are ranked by."""
    return parts([storable(query) for query in queries])
