"""The figures as the tables of docs/retrieval.md: a family a line, its two halves in a cell."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import mean, median, quantiles
from typing import NamedTuple

from tests.bench.retrieval.families import Question, held_out
from tests.bench.retrieval.ways import LIMIT

HARD = ("question", "ticket")


class Score(NamedTuple):
    """How one question was answered by one way."""

    family: str
    held: bool
    first: bool
    recall: float
    ms: float


Scores = Mapping[str, Sequence[Score]]
"""By the name of the way."""


def score(question: Question, found: Sequence[str], ms: float) -> Score:
    """Whether the first one meets a need, and the share of needs that the first ten meet."""
    ranks = [
        min((place for place, name in enumerate(found) if name in need), default=LIMIT)
        for need in question.needs
    ]
    recall = mean(rank < LIMIT for rank in ranks)
    return Score(question.family, held_out(question), min(ranks) == 0, recall, ms)


def tables(scores: Scores) -> Iterator[str]:
    """Every line of the report."""
    open_ways = {way: rows for way, rows in scores.items() if _families(rows) - set(HARD)}
    yield from table("Right article first", open_ways, lambda row: row.first)
    yield from table("Recall among the first ten", scores, lambda row: row.recall)
    yield from _times(scores)


def table(title: str, scores: Scores, value: Callable[[Score], float]) -> Iterator[str]:
    """A family a line: its mean on the half for tuning, and on the held one."""
    yield f"\n{title}:\n"
    yield f"| family | asked (tune, held) | {' | '.join(scores)} |"
    yield f"|---|---|{'---|' * len(scores)}"
    every = next(iter(scores.values()))
    for family in dict.fromkeys(row.family for row in every):
        of_family = [row for row in every if row.family == family]
        asked = ", ".join(str(len(half)) for half in _halves(of_family))
        cells = [_cell([r for r in rows if r.family == family], value) for rows in scores.values()]
        yield f"| {family} | {asked} | {' | '.join(cells)} |"
    hard = [_whole([row for row in rows if row.family in HARD], value) for rows in scores.values()]
    yield f"| hard, all of it | | {' | '.join(hard)} |"
    short = [_whole([r for r in rows if r.family == "short"], value) for rows in scores.values()]
    yield f"| short, all of it | | {' | '.join(short)} |"


def _times(scores: Scores) -> Iterator[str]:
    yield "\nMilliseconds of a search (median, 95th percentile):\n"
    yield "| way | short | letter |\n|---|---|---|"
    for way, rows in scores.items():
        cells = []
        for family in ("short", "letter"):
            times = [row.ms for row in rows if row.family == family]
            long = quantiles(times, n=20)[-1] if len(times) > 1 else 0.0
            cells.append(f"{median(times):.0f}, {long:.0f}" if times else "")
        yield f"| {way} | {' | '.join(cells)} |"


def _families(rows: Sequence[Score]) -> set[str]:
    return {row.family for row in rows}


def _halves(rows: Sequence[Score]) -> tuple[list[Score], list[Score]]:
    return [row for row in rows if not row.held], [row for row in rows if row.held]


def _cell(rows: Sequence[Score], value: Callable[[Score], float]) -> str:
    return ", ".join(_whole(half, value) for half in _halves(rows)) if rows else ""


def _whole(rows: Sequence[Score], value: Callable[[Score], float]) -> str:
    return f"{mean(map(value, rows)):.3f}" if rows else ""
