"""The helpdesk's end of the callbacks: it takes most at once, and at first fails or hangs on some.

It outlives every process of the service, so what it took is held against what they say they sent.
"""

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import psycopg
from fastapi import FastAPI, Request, Response
from standardwebhooks import WebhookVerificationError

from tests.acceptance.crash.hazard import IN_CALLBACK, Hazard
from tests.doubles.receiver import Delivery

TAKEN, FAILED, HUNG = 204, 500, 504
MOODS = {TAKEN: 80, FAILED: 12, HUNG: 8}
# A delivery is given up by the service after the first, and due again after twice that.
TIMEOUT_SECONDS = 2.0
HANG_SECONDS = 3.0
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Received:
    """One request for an event, as it was answered."""

    id: str
    body: str
    verified: bool
    status: int

    @property
    def event(self) -> tuple[str, int]:
        """Which event of which run it tells of."""
        data = json.loads(self.body)["data"]
        return data["run_id"], data["sequence"]


@dataclass
class Receiver:
    """Notes each request; `sender` tells whose the connection is, to kill who holds it."""

    rng: random.Random
    hazard: Hazard
    sender: Callable[[int], int]
    secret: str = ""
    received: list[Received] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    @property
    def app(self) -> FastAPI:
        """What a server serves."""
        app = FastAPI()
        app.add_api_route("/{path:path}", self._take, methods=["POST"])
        return app

    async def _take(self, request: Request) -> Response:
        body = (await request.body()).decode()
        delivery = Delivery(request.url.path, body, dict(request.headers))
        status = self._mood(delivery.id)
        self.received.append(Received(delivery.id, body, self._verified(delivery), status))
        port = request.client.port if request.client else 0
        if self.hazard.is_armed(IN_CALLBACK) and (victim := self.sender(port)):
            self.hazard.reach(IN_CALLBACK, victim)
        if status == HUNG:
            await asyncio.sleep(HANG_SECONDS)
        return Response(status_code=status)

    def _mood(self, callback_id: str) -> int:
        """Bad ones only at first: the schedule's second wait is longer than a campaign."""
        if callback_id in self.known:
            return TAKEN
        self.known.add(callback_id)
        return self.rng.choices(list(MOODS), list(MOODS.values()))[0]

    def _verified(self, delivery: Delivery) -> bool:
        try:
            delivery.verified(self.secret)
        except WebhookVerificationError:
            return False
        return True

    async def settle(self, dsn: str) -> None:
        """Until nothing is on its way any more; long waits of the schedule are over at once."""
        later = "UPDATE callbacks SET next_at = now() WHERE status = 'pending'"
        later += " AND next_at > now() + interval '10 seconds'"
        deadline = time.monotonic() + PATIENCE_SECONDS
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as books:
            while time.monotonic() < deadline:
                await books.execute(later)
                left = await books.execute("SELECT FROM callbacks WHERE status = 'pending' LIMIT 1")
                if left.rowcount == 0:
                    return
                await asyncio.sleep(0.2)

    def counts(self) -> dict[str, int]:
        """How it answered how often, for the table."""
        return {
            f"callbacks answered {status}": sum(each.status == status for each in self.received)
            for status in MOODS
        }

    def violations(self, books: psycopg.Connection) -> list[str]:
        """What must have come and did not, and what should not have come."""
        query = "SELECT id::text, body FROM callbacks"
        return wrong_deliveries(dict(books.execute(query).fetchall()), self.received)


def wrong_deliveries(stored: dict[str, str], received: Iterable[Received]) -> list[str]:
    """Events without a request, and requests that tell of no event, not truly, or not by one id."""
    found, taken = [], set()
    ids: dict[tuple[str, int], set[str]] = defaultdict(set)
    for each in received:
        ids[each.event].add(each.id)
        if each.status == TAKEN:
            taken.add(each.id)
        if each.id not in stored:
            found.append(f"callback {each.id} came and is no event: {each.body}")
        elif stored[each.id] != each.body:
            found.append(f"callback {each.id} says {each.body}, and is {stored[each.id]}")
        if not each.verified:
            found.append(f"callback {each.id} is not signed by the tenant's secret")
    found += [f"callback {at} was never taken: {stored[at]}" for at in stored.keys() - taken]
    twice = {event: names for event, names in ids.items() if len(names) > 1}
    return found + [f"event {event} came as {sorted(names)}" for event, names in twice.items()]
