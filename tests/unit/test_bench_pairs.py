"""What the bench says of its pairs, and when it says nothing."""

from tests.bench.pairs import Pair, conclusion
from tests.bench.throughput import Row


def pair(stock_ms: float, ours_ms: float) -> Pair:
    """A pair in which a run took so much CPU on either side."""
    stock, ours = (Row("", 16, 1, 10, 1, 1, ms, ms, 0, 0, 0) for ms in (stock_ms, ours_ms))
    return Pair(stock, ours)


def test_no_conclusion_is_drawn_from_fewer_than_three_pairs() -> None:
    """Two may agree by chance."""
    said = conclusion([pair(10, 25), pair(10, 25)])
    assert "say nothing" in said
    assert "x stock" not in said


def test_ratios_are_taken_within_pairs_and_shown_with_their_spread() -> None:
    """A minute in which everything takes twice as long changes no ratio."""
    said = conclusion([pair(10, 30), pair(20, 50), pair(10, 20)])
    assert said.startswith("3 pairs: CPU 2.50 x stock (2.00 to 3.00)")
