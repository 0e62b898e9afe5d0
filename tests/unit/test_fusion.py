"""One ranking from several: places count, not scores."""

from app.db.knowledge.bm25 import Hit
from app.db.knowledge.fusion import fused


def hits(*names: str) -> list[Hit]:
    """A ranking of articles, each better than the next."""
    return [Hit(name, number, 1 / (number + 1)) for number, name in enumerate(names)]


def order(*rankings: tuple[float, list[Hit]]) -> list[str]:
    """Of the articles."""
    return [hit.article_id for hit in fused(rankings)]


def test_article_that_two_rankings_have_comes_first() -> None:
    """Before the first of each."""
    assert order((1, hits("a", "b")), (1, hits("c", "b")))[0] == "b"


def test_heavier_ranking_decides() -> None:
    """Between two that say the opposite."""
    assert order((1, hits("a", "b")), (2, hits("b", "a"))) == ["b", "a"]


def test_equal_articles_stand_in_the_order_of_their_names() -> None:
    """The same question has the same answer each time."""
    assert order((1, hits("b")), (1, hits("a"))) == ["a", "b"]


def test_order_within_one_score_decides_nothing() -> None:
    """Of two that one ranking cannot tell apart, the other ranking's favourite comes first."""
    tied = [Hit("a", 1, 0.3), Hit("b", 2, 0.1 + 0.2)]
    assert order((2, tied), (1, hits("b", "a"))) == ["b", "a"]
    assert order((2, [*tied, Hit("c", 3, 0.2)]), (1, hits("c"))) == ["c", "a", "b"]


def test_chunk_of_the_first_ranking_stands_for_the_article() -> None:
    """A passage is the one that the words found."""
    [hit] = fused([(1, [Hit("a", 7, 0.0)]), (1, [Hit("a", 9, 0.0)])])
    assert hit.chunk_id == 7


def test_nothing_is_nothing() -> None:
    """Also when one ranking found nothing."""
    assert fused([]) == []
    assert order((1, []), (1, hits("a"))) == ["a"]
