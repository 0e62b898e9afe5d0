"""The tenant's articles, searched by Postgres full text."""

from dataclasses import dataclass

from app.db.articles import search_chunks
from app.db.engine import Sessions
from tools.models import Passage


@dataclass(frozen=True, slots=True)
class PostgresKnowledge:
    """Articles are found as soon as they are stored."""

    sessions: Sessions
    tenant_id: str

    async def search(self, queries: list[str], language: str | None, limit: int) -> list[Passage]:
        """The best passage of each article that fits, best first."""
        asked = [query for query in queries if query.strip()]
        if not asked:
            return []
        async with self.sessions() as session:
            found = await search_chunks(session, self.tenant_id, asked, language, limit)
        return [
            {
                "article_id": chunk.article_id,
                "title": chunk.title,
                "text": chunk.text,
                "score": score,
            }
            for chunk, score in found
        ]
