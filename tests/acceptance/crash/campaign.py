"""One campaign: a service on this machine, traffic on it, kills in it, and a look at what is left.

The schedule and the traffic come from the seed; which run is hit where is up to the machine.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Protocol

import httpx
import psycopg
from pydantic import SecretStr

from app.commands.migrate import migrate
from app.settings import Settings
from tests.acceptance.crash import laws
from tests.acceptance.crash.desk import Desk
from tests.acceptance.crash.hazard import DRAIN
from tests.acceptance.crash.machine import Machine
from tests.acceptance.crash.recovery import Recovery, recoveries, repeated_calls
from tests.acceptance.crash.schedule import (
    API,
    BACKEND,
    POSTGRES_ALL,
    POSTGRES_ALONE,
    POSTGRES_AT,
    WORKER,
    Kill,
    schedule,
)
from tests.acceptance.crash.traffic import Traffic, wrong_ends
from tests.acceptance.crash.world import World, make_world

POINT_SECONDS = 10
CALM_SECONDS = 8
# A dead worker is noticed within this time, in seconds.
SETTLED = 0.8
TEND_SECONDS = 0.02
CASES_A_KILL = 25
Say = Callable[[str], None]


class Observer(Protocol):
    """Somebody who watches from outside, a listener or a receiver of callbacks."""

    async def watch(self, url: str, world: World) -> None:
        """Until cancelled, while processes die."""
        ...

    def violations(self, dsn: str) -> list[str]:
        """What it saw that must not be, or did not see that must."""
        ...


@dataclass
class Report:
    """What a campaign did and found."""

    seed: int
    kills: int
    seconds: float = 0.0
    missed: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    recovered: list[Recovery] = field(default_factory=list)
    unknown: int = 0
    violations: list[str] = field(default_factory=list)


class Campaign:
    """The state of one campaign."""

    def __init__(
        self, seed: int, kills: int, folder: Path, say: Say, *, workers: int = 2, at_once: int = 8,
        observers: tuple[Observer, ...] = (),
    ) -> None:  # fmt: skip
        self.report = Report(seed, kills)
        self.machine = Machine(folder, workers)
        self.hazard = self.machine.hazard
        self.say, self.at_once, self.observers = say, at_once, observers
        self.rng = random.Random(seed)  # noqa: S311  # no secret
        self.customers = kills * CASES_A_KILL + 200

    async def run(self) -> Report:
        """All of it."""
        began = time.monotonic()
        try:
            dsn, world = await self._prepare()
            await self._fight(dsn, world)
            self._judge(dsn)
        finally:
            self.machine.stop()
        self.report.seconds = time.monotonic() - began
        return self.report

    async def _prepare(self) -> tuple[str, World]:
        self.say("starting Postgres, the API and workers")
        await asyncio.to_thread(self.machine.start_postgres)
        with psycopg.connect(self.machine.dsn(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE crash")
        dsn = self.machine.dsn("crash")
        await asyncio.to_thread(migrate, dsn, lambda _step: None)
        world = await make_world(dsn, self.customers)
        self.machine.settings = Settings(
            _env_file=None,
            database_url=SecretStr(dsn),
            secret_key=SecretStr("crash"),
            port=self.machine.api_port,
            drain_seconds=5,
            # Here every run loses more workers than a run may lose; that bound has its own test.
            max_losses=100_000,
        )
        self.machine.tend()
        return dsn, world

    async def _fight(self, dsn: str, world: World) -> None:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(base_url=self.machine.url, timeout=20, limits=limits) as http:
            desk = Desk(http, dsn, world.starter, world.approver, world.marketing)
            self.traffic = Traffic(desk, self.rng, self.at_once, self.customers)
            tending = asyncio.create_task(self._tend())
            flowing = asyncio.create_task(self.traffic.flow())
            watching = [
                asyncio.create_task(o.watch(self.machine.url, world)) for o in self.observers
            ]
            for number, kill in enumerate(schedule(self.report.seed, self.report.kills), 1):
                await asyncio.sleep(kill.pause)
                await self._strike(kill, number)
            self.say("no more kills; waiting until every case has ended")
            self.traffic.open, desk.calm_since = False, time.monotonic()
            await flowing
            for task in (tending, *watching):
                task.cancel()
            await asyncio.gather(tending, *watching, return_exceptions=True)
            self.report.statuses = desk.statuses
            self.report.violations += desk.complaints

    async def _tend(self) -> None:
        while True:
            self.machine.tend()
            await asyncio.sleep(TEND_SECONDS)

    async def _strike(self, kill: Kill, number: int) -> None:
        before = len(self.hazard.events())
        if not await self._kill(kill):
            self.report.missed[kill.name] += 1
            self.machine.kill(self._some_worker(), WORKER)
        self.say(f"{number}/{self.report.kills} {kill.name}")
        if kill.calm:
            await self._calm(before)

    async def _kill(self, kill: Kill) -> bool:
        """Carry it out; False when nobody came by the point in time."""
        machine = self.machine
        match kill.name:
            case name if name in POSTGRES_AT:
                self.hazard.arm(POSTGRES_AT[name], machine.postmaster)
                hit = await self._taken(POSTGRES_AT[name])
                if hit:
                    await asyncio.to_thread(machine.restart_postgres)
                    self.hazard.note("back", name=name)
                return hit
            case name if name in (POSTGRES_ALL, POSTGRES_ALONE):
                await asyncio.to_thread(machine.kill_postgres, whole=name == POSTGRES_ALL)
                self.hazard.note("back", name=name)
            case name if name == BACKEND:
                await asyncio.to_thread(machine.kill_backend, self.rng)
                self.hazard.note("back", name=name)
            case name if name == API:
                machine.kill(machine.api, API)
                await self._api_is_back()
            case name if name == WORKER:
                machine.kill(self._some_worker(), WORKER)
            case name if name == DRAIN:
                return await self._kill_draining()
            case name:
                self.hazard.arm(name)
                return await self._taken(name)
        return True

    def _some_worker(self) -> ForkServerProcess:
        return self.rng.choice(self.machine.workers)

    async def _ready_worker(self) -> ForkServerProcess:
        """One that heeds a SIGTERM: before it is ready the signal just ends it."""
        while True:
            ready = {e["pid"] for e in self.hazard.events() if e["event"] == "ready"}
            if fit := [worker for worker in self.machine.workers if worker.pid in ready]:
                return self.rng.choice(fit)
            await asyncio.sleep(0.05)

    async def _taken(self, point: str) -> bool:
        deadline = time.monotonic() + POINT_SECONDS
        while (self.hazard.folder / point).exists():
            if time.monotonic() > deadline:
                return not self.hazard.disarm(point)
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.01)
        return True

    async def _kill_draining(self) -> bool:
        """Stop workers gently until one is killed at the first thing it does after that."""
        for _ in range(4):
            self.hazard.arm(DRAIN)
            worker = await self._ready_worker()
            worker.terminate()
            await asyncio.to_thread(worker.join)
            if not self.hazard.disarm(DRAIN):
                return True
            await asyncio.sleep(0.3)
        return False

    async def _api_is_back(self) -> None:
        async with httpx.AsyncClient(base_url=self.machine.url) as http:
            while True:
                try:
                    if (await http.get("/healthz")).status_code == 200:
                        self.hazard.note("api_back")
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.01)

    async def _calm(self, before: int) -> None:
        """Until every process lives and a run was claimed long enough after the kill."""
        deadline = time.monotonic() + CALM_SECONDS
        while time.monotonic() < deadline:
            events = self.hazard.events()[before:]
            since = [event["at"] for event in events if event["event"] in ("kill", "back")][-1]
            claimed = [e for e in events if e["event"] == "claim" and e["at"] > since + SETTLED]
            if claimed and all(worker.is_alive() for worker in self.machine.workers):
                return
            await asyncio.sleep(0.05)

    def _judge(self, dsn: str) -> None:
        report = self.report
        report.cases = self.traffic.kinds()
        ended = [case for case in self.traffic.cases if case.ended]
        with psycopg.connect(dsn) as books:
            done, unknown = laws.effects(books)
            report.violations += laws.broken(books)
            report.violations += wrong_ends(ended, done, unknown, laws.mailed(books))
        report.unknown = len(unknown)
        report.violations += self.machine.quitters
        events = self.hazard.events()
        report.violations += repeated_calls(events)
        report.recovered = recoveries(events)
        for observer in self.observers:
            report.violations += observer.violations(dsn)
