"""Vectors of passages: one for each window, with its article's title in front of it.

A passage of 1,800 characters says many things, and a question asks for one; a small model reads
only the first half of it. A window says one thing, and the title says of which article. Each vector
leans towards the title and the questions that the article declares, so that they are not drowned.
"""

from collections.abc import Iterator, Sequence
from math import hypot

from app.adapters.ports.embeddings import TextEmbedder, Vector
from app.db.knowledge.tokenize import clauses
from app.db.knowledge.vectors import ChunkText

# The heading's part in a vector, and a window's length: chosen by the measurement in
# docs/retrieval.md.
HEADING_WEIGHT = 0.25
WINDOW_CHARS = 500


def vectors_name(embedder: TextEmbedder) -> str:
    """The name that stored vectors carry: of the model, and of how they are made from it.

    So vectors that another release made in another way are made again, and not compared.
    """
    return f"{embedder.model}+windows"


async def passage_vectors(
    embedder: TextEmbedder, passages: Sequence[ChunkText]
) -> dict[int, list[Vector]]:
    """The vectors of each passage by its id, one a window; a shared heading is embedded once.

    Raises:
        EmbeddingsError: see `TextEmbedder.embed`.
    """
    texts = [
        (passage, f"{passage.title}\n{window}")
        for passage in passages
        for window in windows(passage.text)
    ]
    headings = list(dict.fromkeys(passage.heading for passage in passages))
    vectors = await embedder.embed([*(text for _, text in texts), *headings])
    leaning = dict(zip(headings, vectors[len(texts) :], strict=True))
    found: dict[int, list[Vector]] = {passage.id: [] for passage in passages}
    for (passage, _), vector in zip(texts, vectors, strict=False):
        found[passage.id].append(leaned(vector, leaning[passage.heading]))
    return found


def windows(text: str) -> list[str]:
    """The text in parts of up to about WINDOW_CHARS: whole lines, of a long one whole sentences.

    At least one, so that an article of a title alone is found as well.
    """
    parts: list[str] = []
    for piece in _pieces(text):
        if parts and len(parts[-1]) + len(piece) <= WINDOW_CHARS:
            parts[-1] += f"\n{piece}"
        else:
            parts.append(piece)
    return parts or [text]


def _pieces(text: str) -> Iterator[str]:
    for line in filter(None, map(str.strip, text.splitlines())):
        said = [line] if len(line) <= WINDOW_CHARS else clauses(line)
        yield from filter(None, said)


def leaned(vector: Vector, heading: Vector) -> Vector:
    """The direction of one vector, drawn towards that of the other."""
    pairs = zip(_unit(vector), _unit(heading), strict=True)
    return [own + HEADING_WEIGHT * other for own, other in pairs]


def _unit(vector: Vector) -> Vector:
    length = hypot(*vector) or 1.0
    return [value / length for value in vector]
