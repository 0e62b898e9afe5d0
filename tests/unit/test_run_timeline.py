"""Steps of a run on one scale of time, as the console draws them."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.console.views.run import THINNEST, WIDTH, bars
from app.db.tables.runs import Step

BEGUN = datetime(2026, 11, 30, 9, tzinfo=UTC)


class Took(NamedTuple):
    """A step: when it began, milliseconds after the first, how long it took, and how it ended."""

    at_ms: int
    took_ms: int
    status: str = "success"


def steps(*took: Took) -> list[Step]:
    """Rows as they are read from the database."""
    return [
        Step(node="n", status=one.status, started_at=BEGUN + timedelta(milliseconds=one.at_ms),
             duration_ms=one.took_ms, model_calls=[])
        for one in took
    ]  # fmt: skip


def test_no_step_begins_before_the_one_that_it_follows_has_ended() -> None:
    """A short step after a long one stands at the long one's end."""
    long, short = bars(steps(Took(0, 900), Took(902, 100)))
    assert (long.left, long.width) == (0, 900)
    assert (short.left, short.width) == (900, 100)


def test_what_ran_side_by_side_lies_side_by_side() -> None:
    """Two specialists at once, and the step that waits for both."""
    one, other, after = bars(steps(Took(0, 500), Took(10, 200), Took(500, 500)))
    assert (one.left, other.left, after.left) == (0, 10, 500)


@pytest.mark.parametrize(
    ("ended", "gap_ms", "said"),
    [
        ("interrupted", 7_200_000, "2 h with people"),
        ("success", 90_000, "1 min of waiting"),
        ("interrupted", 999, ""),
    ],
)
def test_a_wait_is_said_and_takes_no_room(ended: str, gap_ms: int, said: str) -> None:
    """A person's two hours are words, and leave the scale to what was done."""
    before, after = bars(steps(Took(0, 500, ended), Took(500 + gap_ms, 500)))
    assert (before.waited, after.waited) == ("", said)
    assert (before.width, after.left, after.width) == (500, 500, 500)


@given(st.lists(st.builds(Took, st.integers(0, 10**9), st.integers(0, 10**7)), max_size=12))
def test_every_bar_is_seen_and_lies_on_the_scale(took: list[Took]) -> None:
    """Whatever the clocks of two workers say."""
    for bar in bars(steps(*took)):
        assert THINNEST <= bar.width <= WIDTH
        assert 0 <= bar.left <= WIDTH - THINNEST
