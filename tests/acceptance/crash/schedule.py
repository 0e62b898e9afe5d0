"""Which process dies where, and after which pause: the same for the same seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.acceptance.crash.hazard import (
    AROUND_POST,
    AROUND_REFUND,
    DRAIN,
    IN_CALLBACK,
    IN_REQUEST,
    POINTS,
)

WORKER = "worker, any time"
API = "api, any time"
POSTGRES_ALL, POSTGRES_ALONE = "postgres: all", "postgres: alone"
BACKEND = "postgres: a backend"
# Postgres dies at the very moment when a worker passes the point.
POSTGRES_AT = {
    "postgres: before_settle": "before_settle",
    "postgres: after_provider": "after_provider",
}
AT_POINTS = (*POINTS, DRAIN)
APIS = (API, IN_REQUEST)
ON_LINES = (*AROUND_POST, *AROUND_REFUND)
OTHERS = (
    IN_CALLBACK, *APIS, *ON_LINES, POSTGRES_ALL, POSTGRES_ALONE, BACKEND, *POSTGRES_AT,
)  # fmt: skip
NAMES = (*AT_POINTS, WORKER, *OTHERS)
LONGEST_PAUSE_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class Kill:
    """The next kill: `calm` ones wait until the damage is repaired, others come on top of it."""

    name: str
    pause: float
    calm: bool


def schedule(seed: int, kills: int) -> Iterator[Kill]:
    """Rounds in which each kind comes up, those at a worker's points twice."""
    rng = random.Random(seed)  # noqa: S311  # no secret
    left: list[str] = []
    for _ in range(kills):
        if not left:
            left = [*AT_POINTS, *AT_POINTS, WORKER, WORKER, *OTHERS]
            rng.shuffle(left)
        pause = rng.uniform(0, LONGEST_PAUSE_SECONDS)
        yield Kill(left.pop(), pause, calm=rng.random() < 0.6)
