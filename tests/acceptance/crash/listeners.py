"""Readers of event streams: they come again with their last id whenever the API went away."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import psycopg

from tests.acceptance.crash.world import World

BEGINNING = "0-0"
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 30
# One run of so many is followed on a stream of its own.
ONE_IN = 4
FINAL_TYPES = ("run.finished", "run.merged")
# The id of an event, its type, and the run it tells of; a stream's `end` has only a type.
Event = tuple[str, str, str]


@dataclass
class Stream:
    """One reader. A restless one hangs up after every few events and goes on from there."""

    path: str
    run_id: str = ""
    restless: random.Random | None = None
    events: list[Event] = field(default_factory=list)
    ended: bool = False
    connections: int = 0
    refusals: list[str] = field(default_factory=list)

    async def follow(self, http: httpx.AsyncClient) -> None:
        """Until `end`, or cancelled."""
        while not self.ended:
            last = self.events[-1][0] if self.events else BEGINNING
            try:
                async with http.stream("GET", self.path, headers={"Last-Event-ID": last}) as answer:
                    await self._take(answer)
            except httpx.TransportError:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _take(self, answer: httpx.Response) -> None:
        if answer.status_code != 200:
            if answer.status_code != 503:
                self.refusals.append(f"{self.path}: {answer.status_code} {await answer.aread()!r}")
            await asyncio.sleep(PAUSE_SECONDS)
            return
        self.connections += 1
        left = self.restless.randint(1, 20) if self.restless else -1
        async for event in events_in(answer.aiter_lines()):
            if event[1] == "end":
                self.ended = True
                return
            self.events.append(event)
            left -= 1
            if left == 0:
                return


async def events_in(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    """Events that came whole; comments and `retry:` are none."""
    fields: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif not line:
            if "data" in fields:
                body = json.loads(fields["data"])
                yield fields.get("id", ""), fields["event"], body.get("run_id", "")
            fields = {}


class Listeners:
    """Two readers of all that happens, one of them restless, and one for some of the runs.

    They read what happens to one tenant.
    """

    def __init__(self, seed: int) -> None:
        self.tenant_id = ""
        restless = random.Random(seed)  # noqa: S311  # no secret
        self.streams = [Stream("/v1/events"), Stream("/v1/events", restless=restless)]

    async def watch(self, url: str, world: World) -> None:
        """Until cancelled, while processes die."""
        self.tenant_id = world.tenant_id
        headers = {"Authorization": f"Bearer {world.starter}"}
        limits = httpx.Limits(max_connections=None)
        # A stream that is silent for longer than two heartbeats is a dead one.
        async with (
            httpx.AsyncClient(base_url=url, headers=headers, timeout=31, limits=limits) as http,
            asyncio.TaskGroup() as group,
        ):
            for stream in self.streams:
                group.create_task(stream.follow(http))
            async for run_id in self._new_runs():
                of_run = Stream(f"/v1/runs/{run_id}/events", run_id=run_id)
                self.streams.append(of_run)
                group.create_task(of_run.follow(http))

    async def _new_runs(self) -> AsyncIterator[str]:
        """Every so many-th run that the first reader hears of."""
        read, created = 0, 0
        while True:
            for _, type_, run_id in self.streams[0].events[read:]:
                read += 1
                if type_ == "run.created":
                    created += 1
                    if created % ONE_IN == 0:
                        yield run_id
            await asyncio.sleep(PAUSE_SECONDS)

    def counts(self) -> dict[str, int]:
        """How much there was to read, for the table."""
        return {
            "streams": len(self.streams),
            "their connections": sum(stream.connections for stream in self.streams),
            "events sent to each reader of all": len(self.streams[0].events),
        }

    async def settle(self, dsn: str) -> None:
        """Until everybody has seen all, or time is up."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with psycopg.connect(dsn) as books:
                if not self.violations(books):
                    return
            await asyncio.sleep(0.2)

    def violations(self, books: psycopg.Connection) -> list[str]:
        """What a reader missed, or saw twice, or in another order than it is stored in."""
        query = "SELECT txid || '-' || seq, type, run_id::text FROM events"
        query += " WHERE tenant_id = %s ORDER BY txid, seq"
        stored: list[Event] = books.execute(query, [self.tenant_id]).fetchall()
        found = []
        for stream in self.streams:
            found += stream.refusals + wrong_story(stream, stored)
        return found


def wrong_story(stream: Stream, stored: list[Event]) -> list[str]:
    """How what a reader got differs from what is stored; a run's stream ends with the run."""
    expected = stored
    if stream.run_id:
        own = [event for event in stored if event[2] == stream.run_id]
        ends = [at for at, event in enumerate(own, 1) if event[1] in FINAL_TYPES]
        expected = own[: ends[0]] if ends else own
        if bool(ends) != stream.ended:
            return [f"{stream.path}: the run's end and the stream's do not agree: {own[-1:]}"]
    if stream.events == expected:
        return []
    missed = [event for event in expected if event not in set(stream.events)]
    strange = [event for event in stream.events if event not in set(expected)]
    twice = [event for event, count in Counter(stream.events).items() if count > 1]
    wrong = f"missed {missed[:5]}, twice {twice[:5]}, not stored {strange[:5]}"
    return [f"{stream.path}: of {len(expected)} events {wrong}; else the order is wrong"]
