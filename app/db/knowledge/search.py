"""Search the articles of a tenant: rank their chunks, and read what was found."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from sqlalchemy import BigInteger, ColumnElement, and_, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.compiled import CompiledQuery, CompiledStatement, Executor
from app.db.knowledge.articles import config_for
from app.db.knowledge.bm25 import WORDS, Hit, asked_parts, count_chunks, rank_chunks
from app.db.knowledge.fusion import fused
from app.db.knowledge.ngrams import PAIRS, PARTS
from app.db.tables.knowledge import Article, ArticleChunk

# How many articles of each ranking are fused.
CANDIDATES = 50
# The weight of each ranking, chosen by the measurement in docs/retrieval.md.
RANKINGS = ((1.5, WORDS), (1.0, PAIRS), (1.0, PARTS))
# How many terms a question has is unknown to the planner, which expects millions: a server that has
# JIT would compile each ranking first, for longer than it runs. Raw connections have none.
PLAIN_PLANS = text("SELECT set_config('jit', 'off', true)")
# Whose titles the second round searches, and what it counts beside the first.
SECOND_ROUND_ARTICLES, SECOND_ROUND_WEIGHT = 3, 0.25

Rankings = list[tuple[float, list[Hit]]]
"""Rankings, each with its weight."""


async def rank_articles(
    executor: Executor, tenant_id: str, queries: Sequence[str], config: str, limit: int
) -> Rankings:
    """The rankings by words, by pairs and by parts of words, each with its weight."""
    wanted, asked = max(limit, CANDIDATES), asked_parts(queries)
    chunks = await count_chunks(executor, tenant_id)
    return [
        (weight, await rank_chunks(executor, tenant_id, asked, config, wanted, terms, chunks))
        for weight, terms in RANKINGS
    ]


async def rank_again(
    executor: Executor, tenant_id: str, first: Sequence[Hit], config: str, limit: int
) -> Rankings:
    """What is near the best articles of a first round, by the words and pairs of their titles."""
    best = [hit.chunk_id for hit in first[:SECOND_ROUND_ARTICLES]]
    titles = await _select_titles().rows(executor, tenant=tenant_id, chunks=best)
    asked = asked_parts(sorted(title for (title,) in titles))
    near = await rank_chunks(executor, tenant_id, asked, config, max(limit, CANDIDATES), PAIRS)
    return [(SECOND_ROUND_WEIGHT, near)]


@cache
def _select_titles() -> CompiledStatement:
    return CompiledStatement(select(ArticleChunk.title).where(*_chunks()))


def _chunks() -> tuple[ColumnElement[bool], ...]:
    chunks = bindparam("chunks", type_=ARRAY(BigInteger))
    return ArticleChunk.tenant_id == bindparam("tenant"), ArticleChunk.id == any_(chunks)


async def search_articles(
    session: AsyncSession, tenant_id: str, query: str, language: str | None, limit: int
) -> list[Article]:
    """The articles behind the best chunks, best first; of equal ones those in the language."""
    config = config_for(language) if language else ""
    await session.execute(PLAIN_PLANS)
    found = fused(await rank_articles(session, tenant_id, [query], config, limit))
    ids = [hit.article_id for hit in found[:limit]]
    rows = await session.scalars(
        select(Article).where(Article.tenant_id == tenant_id, Article.id.in_(ids))
    )
    return sorted(rows, key=lambda article: ids.index(article.id))


async def read_chunks(
    executor: Executor, tenant_id: str, chunk_ids: Sequence[int]
) -> tuple[list[tuple[ArticleChunk, list[ArticleChunk]]], dict[str, list[str]]]:
    """Each chunk in the order asked for, with all chunks of its article in theirs.

    Beside them the questions that each of the articles says it answers. A chunk that an edit
    removed meanwhile is left out.
    """
    query = _select_chunks()
    rows = await query.rows(executor, tenant=tenant_id, chunks=list(chunk_ids))
    chunks: dict[int, ArticleChunk] = {}
    articles: dict[str, list[ArticleChunk]] = defaultdict(list)
    questions: dict[str, list[str]] = {}
    for row in rows:
        chunk = query.made(row)
        chunks[chunk.id] = chunk
        articles[chunk.article_id].append(chunk)
        questions[chunk.article_id] = row[-1]
    found = [(chunks[i], articles[chunks[i].article_id]) for i in chunk_ids if i in chunks]
    return found, questions


@cache
def _select_chunks() -> CompiledQuery[ArticleChunk]:
    found = select(ArticleChunk.article_id).where(*_chunks())
    of_article = (
        Article.tenant_id == ArticleChunk.tenant_id,
        Article.id == ArticleChunk.article_id,
    )
    return CompiledQuery(
        ArticleChunk,
        select(ArticleChunk, Article.questions)
        .join(Article, and_(*of_article))
        .where(ArticleChunk.tenant_id == bindparam("tenant"), ArticleChunk.article_id.in_(found))
        .order_by(ArticleChunk.article_id, ArticleChunk.position),
    )
