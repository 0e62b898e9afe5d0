"""Indexes articles that an older version stored, whose chunks have no parts of words yet."""

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.knowledge.answer_cache import new_kb_version
from app.db.knowledge.articles import store_chunks
from app.db.tables.knowledge import Article, ArticleChunk, ArticleNgram, ArticleTerm

Key = tuple[str, str]
"""A tenant's id and an article's."""

FIRST: Key = ("", "")


async def reindex_some(session: AsyncSession, after: Key, limit: int) -> Key | None:
    """Cut and index the next articles of an older version; the last one's key, or None at the end.

    An article is changed under its tenant's row, as every writer does.
    """
    query = (
        select(ArticleChunk.tenant_id, ArticleChunk.article_id)
        .distinct()
        .where(tuple_(ArticleChunk.tenant_id, ArticleChunk.article_id) > after)
        .where(~select(ArticleNgram.chunk_id).filter_by(chunk_id=ArticleChunk.id).exists())
        .where(select(ArticleTerm.chunk_id).filter_by(chunk_id=ArticleChunk.id).exists())
        .order_by(ArticleChunk.tenant_id, ArticleChunk.article_id)
        .limit(limit)
    )
    keys = [(row.tenant_id, row.article_id) for row in await session.execute(query)]
    for tenant_id in sorted({tenant_id for tenant_id, _ in keys}):
        await new_kb_version(session, tenant_id)
    for key in keys:
        # Another process may have removed it meanwhile.
        if article := await session.get(Article, key):
            await store_chunks(session, article)
    return keys[-1] if keys else None
