"""Queries on articles: store them in chunks, and index the chunks' words at once."""

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.knowledge.answer_cache import new_kb_version
from app.db.knowledge.bm25 import index_chunks
from app.db.knowledge.ngrams import index_ngrams
from app.db.tables.knowledge import Article, ArticleChunk
from tools.language_tags import iso_language

# Postgres' own text-search configurations by ISO 639-1; others are indexed word by word.
CONFIGS = {
    "ar": "arabic", "da": "danish", "nl": "dutch", "en": "english", "fi": "finnish",
    "fr": "french", "de": "german", "el": "greek", "hu": "hungarian", "it": "italian",
    "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "es": "spanish",
    "sv": "swedish", "tr": "turkish",
}  # fmt: skip
CHUNK_CHARS = 1800
BLANK_LINE = re.compile(r"\n\s*\n")
NOT_SPACE = re.compile(r"\S")
# A heading as Markdown writes it begins a section.
HEADING = re.compile(r"^(?=#{1,6} )", re.MULTILINE)


def config_for(language: str | None) -> str:
    """The text-search configuration for a language tag such as "pt-BR"."""
    return CONFIGS.get(iso_language(language), "simple")


def chunks(content: str) -> list[str]:
    """Parts of up to about CHUNK_CHARS: whole sections together, a longer one at its paragraphs.

    No part repeats the end of the one before: read alone, that would look like an opening.
    """
    parts: list[str] = []
    for section in filter(None, map(str.strip, HEADING.split(content))):
        fits = bool(parts) and len(parts[-1]) + len(section) <= CHUNK_CHARS
        if fits:
            parts[-1] += f"\n\n{section}"
        else:
            parts += _packed(section)
    return parts


def _packed(section: str) -> Iterable[str]:
    current = ""
    for paragraph in _paragraphs(section):
        if current and len(current) + len(paragraph) > CHUNK_CHARS:
            yield current
            current = ""
        current = f"{current}\n\n{paragraph}" if current else paragraph
    yield current


def _paragraphs(content: str) -> Iterable[str]:
    for paragraph in BLANK_LINE.split(content.strip()):
        start = 0
        while len(paragraph) - start > CHUNK_CHARS:
            # Text without spaces, such as Japanese, is cut where the part is full.
            full = start + CHUNK_CHARS
            cut = max(paragraph.rfind(" ", start, full), paragraph.rfind("\n", start, full))
            cut = cut if cut > start else full
            yield paragraph[start:cut]
            begins = NOT_SPACE.search(paragraph, cut)
            start = begins.start() if begins else len(paragraph)
        yield paragraph[start:]


async def put_article(
    session: AsyncSession,
    tenant_id: str,
    article_id: str,
    title: str,
    content: str,
    language: str,
    questions: Sequence[str] = (),
) -> Article:
    """Create or replace an article and its chunks; searches see it when the transaction ends.

    What it already is changes nothing: version, vectors and kept answers stay.
    """
    values = {
        "title": title,
        "content": content,
        "language": language,
        "questions": list(questions),
    }
    same = articles_of_tenant(tenant_id).filter_by(id=article_id, **values)
    if (known := (await session.scalars(same)).one_or_none()) is not None:
        return known
    await new_kb_version(session, tenant_id)
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
    await store_chunks(session, article)
    return article


async def store_chunks(session: AsyncSession, article: Article) -> None:
    """Cut the article into chunks, in place of those that it has, and index them."""
    old = (ArticleChunk.tenant_id == article.tenant_id, ArticleChunk.article_id == article.id)
    await session.execute(delete(ArticleChunk).where(*old))
    rows = [
        {
            "tenant_id": article.tenant_id,
            "article_id": article.id,
            "position": position,
            "title": article.title,
            "text": text,
            "config": config_for(article.language),
        }
        for position, text in enumerate(chunks(article.content) or [""])
    ]
    insertion = insert(ArticleChunk).values(rows).returning(ArticleChunk)
    stored = list(await session.scalars(insertion))
    await index_chunks(session, article.tenant_id, stored, article.questions)
    await index_ngrams(session, article.tenant_id, stored, article.questions)


async def delete_article(session: AsyncSession, tenant_id: str, article_id: str) -> bool:
    """Remove an article and its chunks; False when there is none."""
    await new_kb_version(session, tenant_id)
    query = (
        delete(Article)
        .where(Article.tenant_id == tenant_id, Article.id == article_id)
        .returning(Article.id)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def get_article(session: AsyncSession, tenant_id: str, article_id: str) -> Article | None:
    """The tenant's article of that id."""
    query = articles_of_tenant(tenant_id).where(Article.id == article_id)
    return (await session.scalars(query)).one_or_none()


async def versions_of(
    session: AsyncSession, tenant_id: str, article_ids: Sequence[str]
) -> dict[str, int]:
    """The versions of those of these articles that there are, by id."""
    query = select(Article.id, Article.version).where(
        Article.tenant_id == tenant_id, Article.id.in_(article_ids)
    )
    return {row.id: row.version for row in await session.execute(query)}


def articles_of_tenant(tenant_id: str) -> Select[Article]:
    """Select the tenant's articles."""
    return select(Article).where(Article.tenant_id == tenant_id)
