"""How each kind of kill is carried out, and how long to wait until the damage is repaired."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess

import httpx

from tests.acceptance.crash.hazard import DRAIN, IN_REQUEST
from tests.acceptance.crash.machine import Machine
from tests.acceptance.crash.schedule import (
    API,
    BACKEND,
    POSTGRES_ALL,
    POSTGRES_ALONE,
    POSTGRES_AT,
    WORKER,
    Kill,
)

POINT_SECONDS = 10
CALM_SECONDS = 8
# A dead worker is noticed within this time, in seconds.
SETTLED = 0.8
# Longer than most requests take: the API dies anywhere between the first byte and the answer.
REQUEST_SECONDS = 0.03


@dataclass
class Strikes:
    """Kills on one machine; `missed` counts those whose point no process passed in time."""

    machine: Machine
    rng: random.Random
    missed: Counter[str] = field(default_factory=Counter)

    async def strike(self, kill: Kill) -> None:
        """Carry it out, or kill some worker instead; wait for calm if the kill wants that."""
        before = self.machine.hazard.written()
        if not await self._kill(kill):
            self.missed[kill.name] += 1
            self.machine.kill(self._some_worker(), WORKER)
        # Who takes an arm notes that a moment later.
        while not any(e["event"] == "kill" for e in self.machine.hazard.events(before)):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        if kill.calm:
            await self._calm(before)

    def asked(self) -> None:
        """A caller sends something that changes something: the API may die in the middle of it."""
        if self.machine.hazard.is_armed(IN_REQUEST):
            wait = self.rng.uniform(0, REQUEST_SECONDS)
            asyncio.get_running_loop().call_later(wait, self._hit_api)

    def _hit_api(self) -> None:
        if (api := self.machine.api) and api.is_alive() and api.pid:
            self.machine.hazard.reach(IN_REQUEST, api.pid)

    async def _kill(self, kill: Kill) -> bool:
        """Carry it out; False when no process passed the point in time."""
        machine, hazard = self.machine, self.machine.hazard
        match kill.name:
            case name if name in POSTGRES_AT:
                hazard.arm(POSTGRES_AT[name], machine.postmaster)
                hit = await self._taken(POSTGRES_AT[name])
                if hit:
                    await asyncio.to_thread(machine.restart_postgres)
                    hazard.note("back", name=name)
                return hit
            case name if name in (POSTGRES_ALL, POSTGRES_ALONE):
                await asyncio.to_thread(machine.kill_postgres, whole=name == POSTGRES_ALL)
                hazard.note("back", name=name)
            case name if name == BACKEND:
                await asyncio.to_thread(machine.kill_backend, self.rng)
                hazard.note("back", name=name)
            case name if name == API:
                machine.kill(machine.api, API)
                await self._api_is_back()
            case name if name == IN_REQUEST:
                return await self._kill_in_request()
            case name if name == WORKER:
                machine.kill(self._some_worker(), WORKER)
            case name if name == DRAIN:
                return await self._kill_draining()
            case name:
                hazard.arm(name)
                return await self._taken(name)
        return True

    def _some_worker(self) -> ForkServerProcess:
        return self.rng.choice(self.machine.workers)

    async def _ready_worker(self) -> ForkServerProcess:
        """One that heeds a SIGTERM: before it is ready the signal just ends it."""
        while True:
            events = self.machine.hazard.events()
            ready = {event["pid"] for event in events if event["event"] == "ready"}
            if fit := [worker for worker in self.machine.workers if worker.pid in ready]:
                return self.rng.choice(fit)
            await asyncio.sleep(0.05)

    async def _taken(self, point: str) -> bool:
        deadline = time.monotonic() + POINT_SECONDS
        while self.machine.hazard.is_armed(point):
            if time.monotonic() > deadline:
                return not self.machine.hazard.disarm(point)
            await asyncio.sleep(0.005)
        return True

    async def _kill_in_request(self) -> bool:
        # One that has only just begun has no request yet.
        await self._api_is_back()
        self.machine.hazard.arm(IN_REQUEST)
        hit = await self._taken(IN_REQUEST)
        await self._api_is_back()
        return hit

    async def _kill_draining(self) -> bool:
        """Stop workers gently until one is killed at the first thing it does after that."""
        for _ in range(4):
            self.machine.hazard.arm(DRAIN)
            worker = await self._ready_worker()
            worker.terminate()
            # The one who tends sees its end. Of two who ask at once one reads the exit code, and
            # the other, that there is none, which multiprocessing tells as 255.
            while worker in self.machine.workers:  # noqa: ASYNC110  # tended by asking
                await asyncio.sleep(0.01)
            if not self.machine.hazard.disarm(DRAIN):
                return True
            await asyncio.sleep(0.3)
        return False

    async def _api_is_back(self) -> None:
        async with httpx.AsyncClient(base_url=self.machine.url) as http:
            while True:
                try:
                    if (await http.get("/healthz")).status_code == 200:
                        self.machine.hazard.note("api_back")
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.01)

    async def _calm(self, before: int) -> None:
        """Until every process lives and a run was claimed long enough after the kill."""
        deadline = time.monotonic() + CALM_SECONDS
        while time.monotonic() < deadline:
            events = self.machine.hazard.events(before)
            since = [event["at"] for event in events if event["event"] in ("kill", "back")][-1]
            claimed = [e for e in events if e["event"] == "claim" and e["at"] > since + SETTLED]
            if claimed and all(worker.is_alive() for worker in self.machine.workers):
                return
            await asyncio.sleep(0.05)
