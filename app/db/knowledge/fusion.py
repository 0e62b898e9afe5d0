"""One ranking from several, by the places of an article in each."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import inf, isclose

from app.db.knowledge.bm25 import Hit

# How fast the weight of a place falls.
RANK_OFFSET = 2


def fused(rankings: Sequence[tuple[float, Sequence[Hit]]]) -> list[Hit]:
    """Each ranking with its weight; the chunk of the first that has the article stands for it.

    Articles of one score share a place, so that the order of their ids decides nothing.

    Source: Cormack, Clarke, Büttcher, Reciprocal Rank Fusion (SIGIR 2009); RANK_OFFSET is their
    k, smaller than their 60 because it measured better here (docs/retrieval.md).
    """
    scores: dict[str, float] = defaultdict(float)
    chunks: dict[str, int] = {}
    for weight, ranking in rankings:
        for place, hit in zip(_places(ranking), ranking, strict=True):
            scores[hit.article_id] += weight / (RANK_OFFSET + place)
            chunks.setdefault(hit.article_id, hit.chunk_id)
    ordered = sorted(scores, key=lambda article_id: (-scores[article_id], article_id))
    return [Hit(article_id, chunks[article_id], scores[article_id]) for article_id in ordered]


def _places(ranking: Sequence[Hit]) -> Iterator[int]:
    """The place of each hit: of equal ones, that of the first. Sums of floats differ in the end."""
    place, score = 0, inf
    for number, hit in enumerate(ranking, 1):
        if not isclose(hit.score, score, rel_tol=1e-9):
            place, score = number, hit.score
        yield place
