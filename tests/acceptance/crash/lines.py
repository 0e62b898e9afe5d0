"""The lines between the workers and a connected system: answers are lost, and workers die on them.

They stand in the campaign's own process, so what passed them is known whatever dies.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Literal

from tests.acceptance.crash.hazard import Hazard
from tests.doubles.fault_proxy import Fault, FaultProxy, Kind, Request

Spoiled = Kind | Literal["none"]
# How a write is answered that a system gets for the first time; its repetitions are answered well.
WRITES: dict[Spoiled, int] = {"none": 60, "lost": 22, "garbled": 10, "limited": 8}
READS: dict[Spoiled, int] = {"none": 96, "lost": 4}
ALL_WELL: dict[Spoiled, int] = {"none": 1}
LATER_SECONDS = 1.0


class DyingLine(FaultProxy):
    """`key_of` finds the key of a write, None for a request that only reads, and `reads` how often
    such a one is answered how.

    Armed, the point `before` kills the worker whose write is on its way and never arrives, and
    `after` the one whose write was carried out and whose answer never comes. `sender` tells whose
    the connection from a port is.
    """

    def __init__(
        self,
        upstream_port: int,
        rng: random.Random,
        hazard: Hazard,
        sender: Callable[[int], int],
        points: tuple[str, str],
        key_of: Callable[[Request], str | None],
        reads: dict[Spoiled, int],
    ) -> None:
        super().__init__(upstream_port)
        self.rng, self.hazard, self.sender = rng, hazard, sender
        self.before, self.after = points
        self.key_of, self.reads = key_of, reads
        self.known: set[str] = set()
        self.answered: Counter[Spoiled] = Counter()

    def due(self, request: Request) -> Fault | None:
        """Bad answers to few; a write is answered badly once at most."""
        key = self.key_of(request)
        moods = self.reads if key is None else WRITES
        if key is not None and key in self.known:
            moods = ALL_WELL
        self.known |= {key} if key is not None else set()
        [kind] = self.rng.choices(list(moods), list(moods.values()))
        self.answered[kind] += 1
        return None if kind == "none" else Fault(kind, seconds=LATER_SECONDS)

    async def forward(self, request: Request) -> bytes | None:
        """See FaultProxy; a worker's death on the line cuts it."""
        writes = self.key_of(request) is not None
        if writes and self._kills(self.before, request):
            return None
        answer = await super().forward(request)
        return None if writes and self._kills(self.after, request) else answer

    def _kills(self, point: str, request: Request) -> bool:
        """Whether the worker that sent the request is dead now."""
        if not self.hazard.is_armed(point) or not (victim := self.sender(request.port)):
            return False
        self.hazard.reach(point, victim)
        return True


def desk_key(request: Request) -> str | None:
    """The key of a call of our own desk's; its reads are named read_..."""
    key = request.header(b"webhook-id").decode()
    return None if key.startswith("read_") else key


def stripe_key(request: Request) -> str | None:
    """The Idempotency-Key of a call of Stripe's that writes."""
    return request.header(b"idempotency-key").decode() or None
