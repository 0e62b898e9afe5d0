"""Use cases: change an article that was read before, so that two editors lose nothing.

They never commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.knowledge import articles
from app.db.tables.knowledge import Article
from app.db.tenants.queries import lock_policy
from app.errors import ConflictError, NotFoundError

# The version of an article that is not there yet.
ABSENT = 0


@dataclass(frozen=True, slots=True)
class ArticleText:
    """What an article says; `questions` are those that it answers, as customers ask."""

    title: str
    content: str
    language: str
    questions: Sequence[str] = ()


async def save(
    session: AsyncSession, tenant_id: str, article_id: str, text: ArticleText, seen: int
) -> Article:
    """Store the article if its version is the one that was `seen`; ABSENT: if there is none.

    Raises:
        ConflictError: it was changed, deleted or made meanwhile.
    """
    await _expect(session, tenant_id, article_id, seen)
    return await articles.put_article(
        session, tenant_id, article_id, text.title, text.content, text.language, text.questions
    )


async def remove(session: AsyncSession, tenant_id: str, article_id: str, seen: int) -> None:
    """Delete the article if its version is the one that was seen. Raises ConflictError."""
    await _expect(session, tenant_id, article_id, seen)
    if not await articles.delete_article(session, tenant_id, article_id):
        raise NotFoundError(f"There is no article {article_id}.")


async def _expect(session: AsyncSession, tenant_id: str, article_id: str, seen: int) -> None:
    # Every writer of articles holds the tenant's row, so what is read here stays until the commit.
    await lock_policy(session, tenant_id)
    known = await articles.get_article(session, tenant_id, article_id)
    version = known.version if known else ABSENT
    if version != seen:
        raise ConflictError(
            f"Article {article_id} has version {version} now, and {seen} was changed."
            if known
            else f"Article {article_id} was deleted meanwhile.",
        )
