"""The tenant's articles, searched by their words and, where an embedder is set, by meaning."""

from dataclasses import dataclass

from app.adapters.ports.embeddings import EmbeddingsError, TextEmbedder, Vector
from app.adapters.ports.passage_vectors import vectors_name
from app.adapters.ports.passages import within_budget
from app.db.core.connections import Sessions
from app.db.knowledge.articles import config_for
from app.db.knowledge.fusion import fused
from app.db.knowledge.search import (
    CANDIDATES,
    Rankings,
    rank_again,
    rank_articles,
    read_chunks,
)
from app.db.knowledge.tokenize import sentences
from app.db.knowledge.vectors import has_table, nearest_chunks
from app.log import get_logger
from tools.models import Passage

log = get_logger(__name__)

# More than all rankings by words together: chosen by the measurement in docs/retrieval.md.
MEANING_WEIGHT = 5


@dataclass(frozen=True, slots=True)
class PostgresKnowledge:
    """Articles are found as soon as they are stored."""

    sessions: Sessions
    tenant_id: str
    embedder: TextEmbedder | None = None
    context_tokens: int = 3000

    async def search(
        self, queries: list[str], language: str | None, limit: int, *, second_round: bool = False
    ) -> list[Passage]:
        """The best passage of each article that fits, best first."""
        asked = await self._asked(queries)
        config = config_for(language)
        near = await self._near(asked, limit)
        async with self.sessions.raw_connection() as connection:
            rankings = await rank_articles(connection, self.tenant_id, queries, config, limit)
            rankings += near
            if second_round:
                first = fused(rankings)
                rankings += await rank_again(connection, self.tenant_id, first, config, limit)
            best = fused(rankings)[:limit]
            ids = [hit.chunk_id for hit in best]
            chunks, questions = await read_chunks(connection, self.tenant_id, ids)
        scores = {hit.chunk_id: hit.score for hit in best}
        return [
            {
                "article_id": excerpt.chunk.article_id,
                "title": excerpt.chunk.title,
                "text": excerpt.text,
                "score": scores[excerpt.chunk.id],
                "questions": questions.get(excerpt.chunk.article_id, []),
                "opens": excerpt.opens,
            }
            for excerpt in within_budget(chunks, self.context_tokens)
        ]

    async def _near(self, asked: list[Vector], limit: int) -> Rankings:
        """The articles that mean what is asked, where vectors are kept."""
        if not asked or self.embedder is None:
            return []
        wanted, model = max(limit, CANDIDATES), vectors_name(self.embedder)
        async with self.sessions() as session:
            if not await has_table(session):
                return []
            near = await nearest_chunks(session, self.tenant_id, model, asked, wanted)
        return [(MEANING_WEIGHT, near)]

    async def _asked(self, queries: list[str]) -> list[Vector]:
        """The question and its sentences as vectors; none when the server does not answer."""
        if self.embedder is None or not (texts := sentences(queries)):
            return []
        try:
            return await self.embedder.embed(texts)
        except EmbeddingsError as error:
            log.warning("embeddings_unavailable", error=error)
            return []
