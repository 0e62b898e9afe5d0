"""One ranking from several, by the places of an article in each."""

from collections import defaultdict
from collections.abc import Sequence

from app.db.knowledge.bm25 import Hit

# How fast the weight of a place falls.
RANK_OFFSET = 2


def fused(rankings: Sequence[tuple[float, Sequence[Hit]]]) -> list[Hit]:
    """Each ranking with its weight; the chunk of the first that has the article stands for it.

    Source: Cormack, Clarke, Büttcher, Reciprocal Rank Fusion (SIGIR 2009); RANK_OFFSET is their
    k, smaller than their 60 because it measured better here (docs/retrieval.md).
    """
    scores: dict[str, float] = defaultdict(float)
    chunks: dict[str, int] = {}
    for weight, ranking in rankings:
        for rank, hit in enumerate(ranking, 1):
            scores[hit.article_id] += weight / (RANK_OFFSET + rank)
            chunks.setdefault(hit.article_id, hit.chunk_id)
    ordered = sorted(scores, key=lambda article_id: (-scores[article_id], article_id))
    return [Hit(article_id, chunks[article_id], scores[article_id]) for article_id in ordered]
