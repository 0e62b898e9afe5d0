"""Search the articles of a tenant: rank their chunks, and read what was found."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.knowledge.articles import config_for
from app.db.knowledge.bm25 import RANK_BY_WORDS, Hit, rank_chunks
from app.db.knowledge.fusion import fused
from app.db.knowledge.ngrams import RANK_BY_PAIRS, RANK_BY_PARTS
from app.db.tables.knowledge import Article, ArticleChunk

# How many articles of each ranking are fused.
CANDIDATES = 50
# The weight of each ranking, chosen by the measurement in docs/retrieval.md.
RANKINGS = ((1.5, RANK_BY_WORDS), (1.0, RANK_BY_PAIRS), (1.0, RANK_BY_PARTS))
# How many terms a question has is unknown to the planner, which expects millions: a server that has
# JIT would compile each ranking first, for longer than it runs.
PLAIN_PLANS = text("SELECT set_config('jit', 'off', true)")
# Whose titles the second round searches, and what it counts beside the first.
SECOND_ROUND_ARTICLES, SECOND_ROUND_WEIGHT = 3, 0.25

Rankings = list[tuple[float, list[Hit]]]
"""Rankings, each with its weight."""


async def rank_articles(
    session: AsyncSession, tenant_id: str, queries: Sequence[str], config: str, limit: int
) -> Rankings:
    """The rankings by words, by pairs and by parts of words, each with its weight."""
    await session.execute(PLAIN_PLANS)
    wanted = max(limit, CANDIDATES)
    return [
        (weight, await rank_chunks(session, tenant_id, queries, config, wanted, statement))
        for weight, statement in RANKINGS
    ]


async def rank_again(
    session: AsyncSession, tenant_id: str, first: Sequence[Hit], config: str, limit: int
) -> Rankings:
    """What is near the best articles of a first round, by the words and pairs of their titles."""
    best = [hit.chunk_id for hit in first[:SECOND_ROUND_ARTICLES]]
    query = select(ArticleChunk.title).where(
        ArticleChunk.tenant_id == tenant_id, ArticleChunk.id.in_(best)
    )
    titles = sorted(await session.scalars(query))
    wanted = max(limit, CANDIDATES)
    near = await rank_chunks(session, tenant_id, titles, config, wanted, RANK_BY_PAIRS)
    return [(SECOND_ROUND_WEIGHT, near)]


async def search_articles(
    session: AsyncSession, tenant_id: str, query: str, language: str | None, limit: int
) -> list[Article]:
    """The articles behind the best chunks, best first; of equal ones those in the language."""
    config = config_for(language) if language else ""
    found = fused(await rank_articles(session, tenant_id, [query], config, limit))
    ids = [hit.article_id for hit in found[:limit]]
    rows = await session.scalars(
        select(Article).where(Article.tenant_id == tenant_id, Article.id.in_(ids))
    )
    return sorted(rows, key=lambda article: ids.index(article.id))


async def questions_of(
    session: AsyncSession, tenant_id: str, article_ids: Sequence[str]
) -> dict[str, list[str]]:
    """The questions that each of these articles says it answers."""
    query = select(Article.id, Article.questions).where(
        Article.tenant_id == tenant_id, Article.id.in_(article_ids)
    )
    return {row.id: row.questions for row in await session.execute(query)}


async def read_chunks(
    session: AsyncSession, tenant_id: str, chunk_ids: Sequence[int]
) -> list[tuple[ArticleChunk, list[ArticleChunk]]]:
    """Each chunk in the order asked for, with all chunks of its article in theirs.

    A chunk that an edit removed meanwhile is left out.
    """
    mine = ArticleChunk.tenant_id == tenant_id
    ids = select(ArticleChunk.article_id).where(mine, ArticleChunk.id.in_(chunk_ids))
    rows = await session.scalars(
        select(ArticleChunk)
        .where(mine, ArticleChunk.article_id.in_(ids))
        .order_by(ArticleChunk.article_id, ArticleChunk.position)
    )
    chunks = {chunk.id: chunk for chunk in rows}
    articles: dict[str, list[ArticleChunk]] = defaultdict(list)
    for chunk in chunks.values():
        articles[chunk.article_id].append(chunk)
    return [(chunks[i], articles[chunks[i].article_id]) for i in chunk_ids if i in chunks]
