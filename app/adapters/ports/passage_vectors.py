"""Vectors of passages: each leans towards its article's title and the questions that it declares.

A passage of 1,800 characters says many things, and a question asks for one. The title says which
article is meant, and a mean over the passage's words alone would drown it.
"""

from collections.abc import Sequence
from math import hypot

from app.adapters.ports.embeddings import TextEmbedder, Vector
from app.db.knowledge.vectors import ChunkText

# The heading's part in a vector, chosen by the measurement in docs/retrieval.md.
HEADING_WEIGHT = 0.5


def vectors_name(embedder: TextEmbedder) -> str:
    """The name that stored vectors carry: of the model, and of how they are made from it.

    So vectors that another release made without headings are made again, and not compared.
    """
    return f"{embedder.model}+heading"


async def passage_vectors(
    embedder: TextEmbedder, passages: Sequence[ChunkText]
) -> dict[int, Vector]:
    """A vector for each passage, by its id; a heading that several share is embedded once.

    Raises:
        EmbeddingsError: see `TextEmbedder.embed`.
    """
    headings = list(dict.fromkeys(passage.heading for passage in passages))
    vectors = await embedder.embed([*(passage.text for passage in passages), *headings])
    leaning = dict(zip(headings, vectors[len(passages) :], strict=True))
    return {
        passage.id: leaned(vector, leaning[passage.heading])
        for passage, vector in zip(passages, vectors, strict=False)
    }


def leaned(vector: Vector, heading: Vector) -> Vector:
    """The direction of one vector, drawn towards that of the other."""
    pairs = zip(_unit(vector), _unit(heading), strict=True)
    return [own + HEADING_WEIGHT * other for own, other in pairs]


def _unit(vector: Vector) -> Vector:
    length = hypot(*vector) or 1.0
    return [value / length for value in vector]
