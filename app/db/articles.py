"""Queries on articles: store them in chunks, and search the chunks by Postgres full text."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, delete, func, literal, or_, select
from sqlalchemy.dialects.postgresql import REGCONFIG, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from app.db.content import Article, ArticleChunk
from graphs.grounding import STOPWORDS, WORD

# Postgres' own text-search configurations by ISO 639-1; others are indexed word by word.
CONFIGS = {
    "ar": "arabic", "da": "danish", "nl": "dutch", "en": "english", "fi": "finnish",
    "fr": "french", "de": "german", "el": "greek", "hu": "hungarian", "it": "italian",
    "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "es": "spanish",
    "sv": "swedish", "tr": "turkish",
}  # fmt: skip
CHUNK_CHARS = 1800
# A chunk repeats the end of the one before, so that no sentence loses what it refers to.
OVERLAP_CHARS = 200


def config_for(language: str | None) -> str:
    """The text-search configuration for a language."""
    return CONFIGS.get(language or "", "simple")


def chunks(content: str) -> list[str]:
    """Split at paragraphs into parts of about CHUNK_CHARS; a longer paragraph between words."""
    parts: list[str] = []
    current = ""
    for paragraph in _paragraphs(content):
        if current and len(current) + len(paragraph) > CHUNK_CHARS:
            parts.append(current)
            current = _last_sentences(current)
        current = f"{current}\n\n{paragraph}" if current else paragraph
    return [*parts, current] if current else parts


def _paragraphs(content: str) -> Iterable[str]:
    for paragraph in re.split(r"\n\s*\n", content.strip()):
        rest = paragraph
        while len(rest) > CHUNK_CHARS:
            # Text without spaces, such as Japanese, is cut where the part is full.
            cut = max(rest.rfind(" ", 0, CHUNK_CHARS), rest.rfind("\n", 0, CHUNK_CHARS))
            cut = cut if cut > 0 else CHUNK_CHARS
            yield rest[:cut]
            rest = rest[cut:].lstrip()
        yield rest


def _last_sentences(part: str) -> str:
    """The whole sentences within the last OVERLAP_CHARS of a part, or its last words."""
    ending = part[-OVERLAP_CHARS:]
    begins = re.search(r"(?:[.!?]\s+|\n)(?=\S)", ending)
    return ending[begins.end() :].strip() if begins else ending.partition(" ")[2]


async def put_article(
    session: AsyncSession, tenant_id: str, article_id: str, title: str, content: str, language: str
) -> Article:
    """Create or replace an article and its chunks; searches see it when the transaction ends."""
    values = {"title": title, "content": content, "language": language}
    upsert = (
        insert(Article)
        .values(tenant_id=tenant_id, id=article_id, **values)
        .on_conflict_do_update(
            index_elements=["tenant_id", "id"],
            set_={**values, "version": Article.version + 1, "updated_at": func.now()},
        )
        .returning(Article)
    )
    options = {"populate_existing": True}
    article = (await session.scalars(upsert, execution_options=options)).one()
    old = (ArticleChunk.tenant_id == tenant_id, ArticleChunk.article_id == article_id)
    await session.execute(delete(ArticleChunk).where(*old))
    rows = [
        {
            "tenant_id": tenant_id,
            "article_id": article_id,
            "position": position,
            "title": title,
            "text": text,
            "config": config_for(language),
        }
        for position, text in enumerate(chunks(content) or [""])
    ]
    await session.execute(insert(ArticleChunk).values(rows))
    return article


async def delete_article(session: AsyncSession, tenant_id: str, article_id: str) -> bool:
    """Remove an article and its chunks; False when there is none."""
    query = (
        delete(Article)
        .where(Article.tenant_id == tenant_id, Article.id == article_id)
        .returning(Article.id)
    )
    return (await session.scalars(query)).one_or_none() is not None


def articles_of_tenant(tenant_id: str) -> Select[Article]:
    """Select the tenant's articles."""
    return select(Article).where(Article.tenant_id == tenant_id)


def any_word(query: str, config: ColumnElement[Any]) -> ColumnElement[Any]:
    """A tsquery that a text with any of the words matches; ranking sorts out how many."""
    words = [word for word in WORD.findall(query) if word.casefold() not in STOPWORDS][:64]
    return func.websearch_to_tsquery(config, " or ".join(f'"{word}"' for word in words))


async def search_chunks(
    session: AsyncSession, tenant_id: str, queries: Sequence[str], language: str | None, limit: int
) -> list[tuple[ArticleChunk, float]]:
    """The best chunk of each article that matches, best first.

    Each query counts twice: as typed (`websearch_to_tsquery`, all words) and with any of its
    words, so that one strange word does not hide every answer. English is searched beside the
    ticket's language, since a knowledge base often exists in English only.
    """
    configs = {config_for(language), "english"}
    searched: list[ColumnElement[Any]] = []
    for query in queries:
        for config in sorted(configs):
            regconfig = literal(config, REGCONFIG)
            searched.append(func.websearch_to_tsquery(regconfig, query[:1000]))
            searched.append(any_word(query, regconfig))
    rank: ColumnElement[float] = sum(
        (func.ts_rank_cd(ArticleChunk.document, tsquery, 1) for tsquery in searched),
        start=literal(0.0),
    )
    matches = (
        select(ArticleChunk, rank.label("rank"))
        .where(
            ArticleChunk.tenant_id == tenant_id,
            or_(*(ArticleChunk.document.op("@@")(tsquery) for tsquery in searched)),
        )
        .order_by(rank.desc(), ArticleChunk.article_id, ArticleChunk.position)
        .limit(limit * 4)
    )
    best: dict[str, tuple[ArticleChunk, float]] = {}
    for chunk, score in await session.execute(matches):
        best.setdefault(chunk.article_id, (chunk, float(score)))
    return list(best.values())[:limit]


async def search_articles(
    session: AsyncSession, tenant_id: str, query: str, limit: int
) -> list[Article]:
    """The articles behind the best chunks, best first."""
    found = await search_chunks(session, tenant_id, [query], None, limit)
    ids = [chunk.article_id for chunk, _ in found]
    rows = await session.scalars(
        select(Article).where(Article.tenant_id == tenant_id, Article.id.in_(ids))
    )
    return sorted(rows, key=lambda article: ids.index(article.id))
