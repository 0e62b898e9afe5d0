"""The tenant's articles, searched by their words and, where an embedder is set, by meaning."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from app.adapters.ports.embeddings import Embedder, EmbeddingsError, Vector
from app.adapters.ports.passages import within_budget
from app.db.core.connections import Sessions
from app.db.knowledge.articles import config_for
from app.db.knowledge.bm25 import Hit, rank_chunks
from app.db.knowledge.search import questions_of, read_chunks
from app.db.knowledge.tokenize import sentences
from app.db.knowledge.vectors import has_table, nearest_chunks
from app.log import get_logger
from tools.models import Passage

log = get_logger(__name__)

# Ranks of each search that are fused, and how fast the weight of a rank falls.
CANDIDATES = 50
RANK_OFFSET = 10


@dataclass(frozen=True, slots=True)
class PostgresKnowledge:
    """Articles are found as soon as they are stored."""

    sessions: Sessions
    tenant_id: str
    embedder: Embedder | None = None
    context_tokens: int = 3000

    async def search(self, queries: list[str], language: str | None, limit: int) -> list[Passage]:
        """The best passage of each article that fits, best first."""
        asked = await self._asked(queries)
        config, wanted = config_for(language), max(limit, CANDIDATES)
        async with self.sessions() as session:
            hits = await rank_chunks(session, self.tenant_id, queries, config, wanted)
            if asked and self.embedder and await has_table(session):
                near = await nearest_chunks(
                    session, self.tenant_id, self.embedder.model, asked, wanted
                )
                hits = fused([hits, near])
            best = hits[:limit]
            chunks = await read_chunks(session, self.tenant_id, [hit.chunk_id for hit in best])
            questions = await questions_of(
                session, self.tenant_id, [hit.article_id for hit in best]
            )
        scores = {hit.chunk_id: hit.score for hit in best}
        texts = within_budget(chunks, self.context_tokens)
        return [
            {
                "article_id": chunk.article_id,
                "title": chunk.title,
                "text": text,
                "score": scores[chunk.id],
                "questions": questions.get(chunk.article_id, []),
                "opens": chunk.position == 0,
            }
            for (chunk, _), text in zip(chunks, texts, strict=False)
        ]

    async def _asked(self, queries: list[str]) -> list[Vector]:
        """The question and its sentences as vectors; none when the server does not answer."""
        texts = sentences(queries)
        if self.embedder is None or not texts:
            return []
        try:
            return await self.embedder.embed(texts)
        except EmbeddingsError as error:
            log.warning("embeddings_unavailable", error=error)
            return []


def fused(rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
    """One ranking from several by reciprocal ranks; the first ranking's chunk stands for both.

    Source: Cormack, Clarke, Büttcher, Reciprocal Rank Fusion (SIGIR 2009); RANK_OFFSET is their
    k, smaller than their 60 because it measured better here (docs/retrieval.md).
    """
    scores: dict[str, float] = defaultdict(float)
    chunks: dict[str, int] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, 1):
            scores[hit.article_id] += 1 / (RANK_OFFSET + rank)
            chunks.setdefault(hit.article_id, hit.chunk_id)
    ordered = sorted(scores, key=lambda article_id: (-scores[article_id], article_id))
    return [Hit(article_id, chunks[article_id], scores[article_id]) for article_id in ordered]
