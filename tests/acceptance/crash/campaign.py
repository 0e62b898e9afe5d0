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
from tests.acceptance.crash import connected_laws, laws
from tests.acceptance.crash.cases import STORIES
from tests.acceptance.crash.connected import Connected, connected
from tests.acceptance.crash.connected_cases import ConnectedCases
from tests.acceptance.crash.connected_laws import HostedReplies
from tests.acceptance.crash.desk import Desk
from tests.acceptance.crash.hosted_cases import HostedCases
from tests.acceptance.crash.listeners import Listeners
from tests.acceptance.crash.machine import Machine
from tests.acceptance.crash.receiver import TIMEOUT_SECONDS, Receiver
from tests.acceptance.crash.recovery import Recovery, recoveries, repeated_calls
from tests.acceptance.crash.schedule import schedule
from tests.acceptance.crash.strikes import Strikes
from tests.acceptance.crash.traffic import Traffic, wrong_ends
from tests.acceptance.crash.world import World, make_world
from tests.conftest import ENCRYPTION_KEY
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
        self.connected: Connected
        self.hosted_replies: HostedReplies = {}
        self.traffic: Traffic

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
            encryption_keys=[SecretStr(ENCRYPTION_KEY)],
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
        tending = asyncio.create_task(self._tend())
        async with httpx.AsyncClient(base_url=self.machine.url, timeout=20, limits=limits) as http:
            desk = Desk(http, dsn, world, hook, self.strikes.asked)
            async with connected(desk, self.machine, self.report.seed) as self.connected:
                watching = asyncio.create_task(self.listeners.watch(self.machine.url, world))
                hurrying = asyncio.create_task(self.connected.hurry())
                sending = asyncio.create_task(self.connected.send_hooks())
                await self._kill_under_traffic(desk)
                self.say("waiting for callbacks, deliveries and streams")
                await self.receiver.settle(dsn)
                await self.connected.settle()
                await self.listeners.settle(dsn)
                tasks = (tending, watching, hurrying, sending)
                for task in tasks:
                    task.cancel()
                ends = await asyncio.gather(*tasks, return_exceptions=True)
                self.hosted_replies = await connected_laws.hosted_replies(self.connected.hosted)
        self.report.violations += [repr(end) for end in ends if isinstance(end, Exception)]
        self.report.statuses = desk.statuses
        self.report.violations += desk.complaints

    async def _kill_under_traffic(self, desk: Desk) -> None:
        stories = STORIES | ConnectedCases(self.connected).stories
        stories |= HostedCases(self.connected).stories
        self.traffic = Traffic(desk, stories, self.rng, self.at_once, self.customers)
        flowing = asyncio.create_task(self.traffic.flow())
        for number, kill in enumerate(schedule(self.report.seed, self.report.kills), 1):
            await asyncio.sleep(kill.pause)
            await self.strikes.strike(kill)
            self.say(f"{number}/{self.report.kills} {kill.name}")
        self.say("no more kills; waiting until every case has ended")
        self.traffic.open = False
        desk.calm_since = self.connected.desk.calm_since = time.monotonic()
        await flowing

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
            done |= connected_laws.effects_of(self.connected.stripe)
            report.violations += wrong_ends(ended, done, unknown, laws.mailed(books))
            report.violations += connected_laws.violations(self.connected, ended, books)
            report.violations += connected_laws.wrong_hosted(
                self.connected, ended, self.hosted_replies, books
            )
            report.violations += self.receiver.violations(books)
            report.violations += self.listeners.violations(books)
        report.unknown = len(unknown)
        report.missed = self.strikes.missed
        for part in (self.receiver, self.listeners, self.connected):
            report.notices |= part.counts()
        report.violations += self.machine.quitters
        events = self.hazard.events()
        report.violations += repeated_calls(events)
        report.recovered = recoveries(events)
