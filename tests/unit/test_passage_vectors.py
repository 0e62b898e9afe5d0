"""Vectors of passages lean towards their headings."""

import math
from collections.abc import Sequence

import pytest

from app.adapters.ports.embeddings import Vector
from app.adapters.ports.passage_vectors import (
    HEADING_WEIGHT,
    WINDOW_CHARS,
    leaned,
    passage_vectors,
    windows,
)
from app.db.knowledge.vectors import ChunkText


class Directions:
    """An embedder that knows two words, and counts what it is asked."""

    model = "two"

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A text's share of either word; zeros for a text with none."""
        self.asked += texts
        return [[float("cat" in text), float("dog" in text)] for text in texts]


async def test_heading_draws_a_passage_and_is_embedded_once() -> None:
    """Two passages of one article share its heading; each is embedded behind its title."""
    embedder = Directions()
    both = [
        ChunkText(1, "-", "dog", "cat"), ChunkText(2, "-", "cat", "cat"),
        ChunkText(3, "-", "dog", "dog"),
    ]  # fmt: skip
    found = await passage_vectors(embedder, both)
    drawn = 1 + HEADING_WEIGHT
    assert found == {1: [[HEADING_WEIGHT, 1.0]], 2: [[drawn, 0]], 3: [[0, drawn]]}
    assert embedder.asked == ["-\ndog", "-\ncat", "-\ndog", "cat", "dog"]


async def test_long_passage_has_a_vector_for_each_window() -> None:
    """What its end says is not lost, as in one vector of what a small model reads first."""
    long = "\n".join(["word " * 90, "cat " * 90, "dog."])
    found = await passage_vectors(Directions(), [ChunkText(1, "-", long, "-")])
    assert found == {1: [[0, 0], pytest.approx([0.5**0.5, 0.5**0.5])]}


@pytest.mark.parametrize("text", ["", "one", "a. " * 800, "a\n" * 900, "x" * 2000])
def test_windows_hold_all_of_the_text(text: str) -> None:
    """None is longer than a window, except a sentence that has no end."""
    parts = windows(text)
    assert parts
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(len(part) <= WINDOW_CHARS + 1 or " " not in part for part in parts)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_lengths_do_not_count(scale: float) -> None:
    """A server may give vectors of any length; only their directions are mixed."""
    mixed = leaned([3 * scale, 4 * scale], [0.0, 7.0])
    assert mixed == pytest.approx([0.6, 0.8 + HEADING_WEIGHT])


def test_vector_without_direction_stays_finite() -> None:
    """A text of unknown words has a vector of zeros."""
    assert all(map(math.isfinite, leaned([0.0, 0.0], [0.0, 0.0])))
