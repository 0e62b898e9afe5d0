"""One campaign: a service on this machine, traffic on it, kills in it, and a look at what is left.

The schedule and the traffic come from the seed; which run is hit where is up to the machine.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

import httpx
import psycopg
from pydantic import SecretStr

from app.commands.migrate import migrate
from app.settings import Settings
from tests.acceptance.crash import laws
from tests.acceptance.crash.desk import Desk
from tests.acceptance.crash.listeners import Listeners
from tests.acceptance.crash.machine import Machine
from tests.acceptance.crash.receiver import TIMEOUT_SECONDS, Receiver
from tests.acceptance.crash.recovery import Recovery, recoveries, repeated_calls
from tests.acceptance.crash.schedule import schedule
from tests.acceptance.crash.strikes import Strikes
from tests.acceptance.crash.traffic import Traffic, wrong_ends
from tests.acceptance.crash.world import World, make_world
from tests.doubles.server import serving

LOOPBACK = IPv4Network("127.0.0.0/8")
TEND_SECONDS = 0.02
CASES_A_KILL = 10
Say = Callable[[str], None]


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
    notices: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


class Campaign:
    """The state of one campaign."""

    def __init__(
        self, seed: int, kills: int, folder: Path, say: Say, *, workers: int = 2, at_once: int = 8
    ) -> None:  # fmt: skip
        self.report = Report(seed, kills)
        self.machine = Machine(folder, workers)
        self.hazard = self.machine.hazard
        self.say, self.at_once = say, at_once
        self.rng, moods = random.Random(seed), random.Random(seed)  # noqa: S311  # no secret
        self.customers = kills * CASES_A_KILL + 200
        self.strikes = Strikes(self.machine, self.rng)
        self.receiver = Receiver(moods, self.hazard, self.machine.worker_at)
        self.listeners = Listeners(seed)

    async def run(self) -> Report:
        """All of it."""
        began = time.monotonic()
        try:
            dsn, world = await self._prepare()
            with serving(self.receiver.app) as hook:
                await self._fight(dsn, world, hook)
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
            callback_allow=[LOOPBACK],
            callback_timeout_seconds=TIMEOUT_SECONDS,
        )
        self.machine.tend()
        return dsn, world

    async def _fight(self, dsn: str, world: World, hook: str) -> None:
        self.receiver.secret = world.secret
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(base_url=self.machine.url, timeout=20, limits=limits) as http:
            desk = Desk(http, dsn, world, hook, self.strikes.asked)
            self.traffic = Traffic(desk, self.rng, self.at_once, self.customers)
            tending = asyncio.create_task(self._tend())
            watching = asyncio.create_task(self.listeners.watch(self.machine.url, world))
            flowing = asyncio.create_task(self.traffic.flow())
            for number, kill in enumerate(schedule(self.report.seed, self.report.kills), 1):
                await asyncio.sleep(kill.pause)
                await self.strikes.strike(kill)
                self.say(f"{number}/{self.report.kills} {kill.name}")
            self.say("no more kills; waiting until every case has ended")
            self.traffic.open, desk.calm_since = False, time.monotonic()
            await flowing
            self.say("waiting for callbacks and streams")
            await self.receiver.settle(dsn)
            await self.listeners.settle(dsn)
            for task in (tending, watching):
                task.cancel()
            ends = await asyncio.gather(tending, watching, return_exceptions=True)
            self.report.violations += [repr(end) for end in ends if isinstance(end, Exception)]
            self.report.statuses = desk.statuses
            self.report.violations += desk.complaints

    async def _tend(self) -> None:
        while True:
            self.machine.tend()
            await asyncio.sleep(TEND_SECONDS)

    def _judge(self, dsn: str) -> None:
        report = self.report
        report.cases = self.traffic.kinds()
        ended = [case for case in self.traffic.cases if case.ended]
        with psycopg.connect(dsn) as books:
            done, unknown = laws.effects(books)
            report.violations += laws.broken(books)
            report.violations += wrong_ends(ended, done, unknown, laws.mailed(books))
            report.violations += self.receiver.violations(books)
            report.violations += self.listeners.violations(books)
        report.unknown = len(unknown)
        report.missed = self.strikes.missed
        report.notices = self.receiver.counts() | self.listeners.counts()
        report.violations += self.machine.quitters
        events = self.hazard.events()
        report.violations += repeated_calls(events)
        report.recovered = recoveries(events)
