"""The statistics as the page of figures needs them: links of its own, and what bars are long of."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.api import schemas
from app.console.views.words import duration

WINDOWS: dict[schemas.Window, str] = {
    "1h": "1 hour",
    "24h": "24 hours",
    "7d": "7 days",
    "30d": "30 days",
}
OUTCOMES = {
    "answered": "Answered",
    "acted": "Acted",
    "asked": "Asked back",
    "rejected": "Rejected by a person",
    "escalated": "Handed over",
    "ignored": "Ignored",
}
API, HERE = "/v1/runs", "/console/runs"
WIDTH = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong, and where."""

    where: str
    what: schemas.Counted


def problems(
    nodes: schemas.NodeStats, models: schemas.ModelStats, runs: schemas.RunStats
) -> list[Problem]:
    """Everything that failed, most often first."""
    found = [*_of_nodes(nodes), *_of_models(models), *_of_runs(runs.total)]
    return sorted(found, key=lambda problem: -problem.what.count)


def _of_nodes(stats: schemas.NodeStats) -> Iterator[Problem]:
    for row in stats.nodes:
        yield from (Problem(f"node {row.node}", error) for error in row.errors)


def _of_models(stats: schemas.ModelStats) -> Iterator[Problem]:
    for row in stats.models:
        yield from (Problem(f"model {row.model}", error) for error in row.errors)
        yield from (Problem(f"fallback {row.model}", why) for why in row.fallbacks)


def _of_runs(figures: schemas.RunFigures) -> Iterator[Problem]:
    yield from (Problem("run", error) for error in figures.errors)
    yield from (
        Problem("run", mark) for mark in figures.marks if mark.count and mark.kind != "cache_hit"
    )


def here(path: str | None) -> str:
    """The console's list of runs for the API's; without a list, all runs."""
    return HERE + (path or "").removeprefix(API)


def outcome(kind: str) -> str:
    """How a run ended, in words."""
    return OUTCOMES[kind]


def milliseconds(value: int | None) -> str:
    """A length of time; a dash where nothing took any."""
    if value is None:
        return "–"
    if value < 10_000:
        return f"{value} ms"
    return duration(value / 1000)


def percent(share: float | None) -> str:
    """A share of 1; a dash of nothing."""
    return "–" if share is None else f"{100 * share:.1f} %"


def bar(part: float | None, whole: float | None) -> int:
    """How long a bar is of WIDTH; what is not nothing can be seen."""
    if not part or not whole:
        return 0
    return max(4, round(WIDTH * min(part / whole, 1)))


def slowest(stats: schemas.NodeStats) -> int:
    """The longest 95 % of a node, in milliseconds."""
    return max((row.took.p95_ms or 0 for row in stats.nodes), default=0)


def dearest(stats: schemas.ModelStats) -> float:
    """The highest cost of one node's calls of one model, in US dollars."""
    return max((one.cost_usd for row in stats.models for one in row.nodes), default=0.0)
