"""Adds figures up, and says how long what they count took."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import TypeVar
from uuid import UUID

from app.api import schemas
from app.db.figures.queries import Figure

K = TypeVar("K")


@dataclass(slots=True)
class Sum:
    """Several figures as one."""

    count: int = 0
    retries: int = 0
    tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0
    sample: UUID | None = None

    def add(self, figure: Figure) -> None:
        """Count one more in."""
        self.count += figure.count
        self.retries += figure.retries
        self.tokens += figure.tokens
        self.cost_usd += figure.cost_usd
        self.unpriced += figure.unpriced
        if figure.sample_run_id and (self.sample is None or figure.sample_run_id > self.sample):
            self.sample = figure.sample_run_id

    @property
    def cost(self) -> float:
        """US dollars."""
        return float(self.cost_usd)


def total(figures: Iterable[Figure]) -> Sum:
    """All of them as one."""
    found = Sum()
    for figure in figures:
        found.add(figure)
    return found


def by(figures: Iterable[Figure], key: Callable[[Figure], K]) -> dict[K, Sum]:
    """Their sums by a key, in the order of its first figure."""
    found: dict[K, Sum] = {}
    for figure in figures:
        found.setdefault(key(figure), Sum()).add(figure)
    return found


def spread(figures: Iterable[Figure]) -> schemas.Spread:
    """The exact percentiles of the durations: the nearest rank, as `percentile_disc` has it."""
    # Durations repeat: the different ones are few.
    times: Counter[int] = Counter()
    for figure in figures:
        times.update(figure.times)
    count, sorted_times = times.total(), sorted(times.items())
    p50, p95, p99 = (_rank(sorted_times, ceil(count * percent / 100)) for percent in (50, 95, 99))
    return schemas.Spread(count=count, p50_ms=p50, p95_ms=p95, p99_ms=p99)


def _rank(counts: list[tuple[int, int]], rank: int) -> int | None:
    seen = 0
    for value, count in counts:
        seen += count
        if seen >= rank:
            return value
    return None


def rate(part: int, whole: int) -> float | None:
    """A share between 0 and 1; None of nothing."""
    return part / whole if whole else None
