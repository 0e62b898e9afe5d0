"""A second tenant of a campaign, with a helpdesk and a payment provider over HTTP.

Both are doubles in the campaign's own process, behind lines that lose answers: what they hold
outlives every process of the service.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from app.services.connections.tickets import ticket_name
from tests.acceptance.crash.desk import PATIENCE_SECONDS, PAUSE_SECONDS, Desk, StuckError
from tests.acceptance.crash.hazard import AROUND_POST, AROUND_REFUND
from tests.acceptance.crash.hosted import Hosted, hosted
from tests.acceptance.crash.lines import ALL_WELL, READS, DyingLine, desk_key, stripe_key
from tests.acceptance.crash.machine import Machine
from tests.acceptance.crash.world import PRICE, World
from tests.acceptance.own_database import tenant_on
from tests.doubles.own_desk import OwnDesk
from tests.doubles.server import serving
from tests.doubles.stripe_double import StripeDouble

T = TypeVar("T")
# Of the hooks of a real desk, some come twice.
TWICE_SHARE = 0.2
TEND_SECONDS = 1.0
# What a dead worker had claimed is due again when its lease of 150 s ends, and what was tried often
# after a long wait. A campaign does not wait for either; what was claimed a moment ago stays.
HURRY = """
UPDATE {table} SET next_at = now() WHERE status = '{waiting}'
AND next_at BETWEEN now() + interval '10 s' AND now() + interval '142 s'"""
QUEUES = {"deliveries": "pending", "inbox": "new"}
OPEN = """
SELECT FROM deliveries WHERE status = 'pending' UNION ALL SELECT FROM inbox WHERE status = 'new'
UNION ALL SELECT FROM runs WHERE status IN ('pending', 'running') LIMIT 1"""


@dataclass
class Connected:
    """The tenant's callers (`desk`), its helpdesks (`own`, `hosted`) and its payment provider."""

    desk: Desk
    id: str
    own: OwnDesk
    stripe: StripeDouble
    lines: tuple[DyingLine, DyingLine]
    hook_path: str
    hosted: list[Hosted]

    def open_ticket(self, number: int, text: str) -> None:
        """Customer `number` writes, who paid twice; no hook says so yet."""
        customer = f"cus_{number}"
        for _ in range(2):
            self.stripe.charge(customer, PRICE)
        self.own.open(str(number), text, hook=False, external_id=customer, verified=True)

    async def hook(self, kind: str, number: int, rng: random.Random, **data: Any) -> None:
        """Post a hook as a desk does: the same delivery until it is taken, and sometimes again."""
        body = json.dumps({"type": kind, "data": {"ticket": {"id": str(number)}, **data}}).encode()
        delivery = f"d{uuid4().hex}"
        for _ in range(1 + (rng.random() < TWICE_SHARE)):
            signed = self.own.signed(body, delivery)
            # The key that `ask` sends along means nothing here: the signature counts.
            key = self.desk.world.starter
            answer = await self.desk.ask("POST", self.hook_path, key, content=body, headers=signed)
            if answer.status_code != 202:
                self.desk.complaints.append(f"hook of {number}: {answer.status_code}")

    async def says(self, number: int, rng: random.Random) -> None:
        """The hook of the ticket's newest message."""
        message = self.own.tickets[str(number)].messages[-1]
        await self.hook("message.created", number, rng, message=message)

    async def at_rest(self, number: int, runs: int = 1) -> Any:
        """The newest run of the own desk's ticket, once there are so many and it is at rest."""
        return await self.rested(ticket_name(self.id, str(number)), runs)

    async def rested(self, name: str, runs: int = 1) -> Any:
        """The newest run of the ticket that we call so."""
        path = f"/v1/runs?ticket_id={name}"

        async def found() -> Any:
            listed = await self.desk.ask("GET", path, self.desk.world.starter)
            items = [run for run in listed.json()["items"] if run["merged_into"] is None]
            return items[0]["id"] if len(items) >= runs else None

        while (run_id := await found()) is None:
            await self.pause(f"no run of ticket {name}")
        return await self.desk.rest(run_id)

    async def until(self, condition: Callable[[], T], what: str) -> T:
        """What the condition answers once it is true. Raises StuckError."""
        while not (found := condition()):
            await self.pause(what)
        return found

    async def pause(self, what: str) -> None:
        """Wait a moment. Raises StuckError: it was long enough."""
        if time.monotonic() > self.desk.calm_since + PATIENCE_SECONDS:
            raise StuckError(what)
        await asyncio.sleep(PAUSE_SECONDS)

    def replies(self, number: int) -> list[dict[str, Any]]:
        """The bot's public messages of the ticket."""
        said = self.own.tickets[str(number)].messages
        return [m for m in said if m["public"] and m["author"] == "bot"]

    async def hurry(self) -> None:
        """Bring forward what waits for a lease or for long, until cancelled."""
        while True:
            with suppress(psycopg.OperationalError):
                async with await psycopg.AsyncConnection.connect(self.desk.dsn) as books:
                    for table, waiting in QUEUES.items():
                        await books.execute(HURRY.format(table=table, waiting=waiting).encode())
            await asyncio.sleep(TEND_SECONDS)

    async def send_hooks(self) -> None:
        """Send what the hosted desks say, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for desk in self.hosted:
                group.create_task(desk.send_hooks())

    async def settle(self) -> None:
        """Until nothing is on its way in or out any more, or time is up."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and any(desk.is_busy for desk in self.hosted):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        async with await psycopg.AsyncConnection.connect(self.desk.dsn, autocommit=True) as books:
            while time.monotonic() < deadline:
                if (await books.execute(OPEN.encode())).rowcount == 0:
                    return
                await asyncio.sleep(0.2)

    def counts(self) -> dict[str, int]:
        """How the lines answered, for the table."""
        kinds = [desk.at.connector.kind for desk in self.hosted]
        lines = (*self.lines, *(desk.line for desk in self.hosted))
        return {
            f"calls of the {name}, {kind}": count
            for name, line in zip(("desk", "provider", *kinds), lines, strict=True)
            for kind, count in sorted(line.answered.items())
        }


@asynccontextmanager
async def connected(desk: Desk, machine: Machine, seed: int) -> AsyncIterator[Connected]:
    """A new tenant with both systems, connected over the API by the client of `desk`."""
    tenant = await tenant_on(desk.dsn)
    # Without the provider's own keys only what our side looks up makes a refund single.
    own, stripe = OwnDesk(), StripeDouble(forgets_keys=True)
    with serving(own.app) as own_url, serving(stripe.app) as stripe_url:
        desk_line = DyingLine(
            _port(own_url), random.Random(seed), machine.hazard, machine.worker_at,  # noqa: S311
            AROUND_POST, desk_key, READS,
        )  # fmt: skip
        stripe_line = DyingLine(
            _port(stripe_url), random.Random(seed + 1), machine.hazard, machine.worker_at,  # noqa: S311
            AROUND_REFUND, stripe_key, ALL_WELL,
        )  # fmt: skip
        async with desk_line.serving(), stripe_line.serving():
            world = World(tenant.id, tenant.starter, tenant.approver, "", "")
            callers = replace(desk, world=world)
            await _connect(
                callers, tenant.admin, "stripe", {"api_base": stripe_line.url},
                {"api_key": stripe.key, "webhook_secret": "whsec_of_the_campaign_0123456789"},
            )  # fmt: skip
            url = f"{desk_line.url}/deskgraph"
            made = await _connect(callers, tenant.admin, "webhook", {"url": url}, {})
            own.connect("", made["hook_secret"])
            lines = (desk_line, stripe_line)
            connect = partial(_connect_as, callers, tenant.admin)
            async with hosted(callers, machine, seed, connect) as desks:
                path = made["hook_path"]
                yield Connected(callers, made["id"], own, stripe, lines, path, desks)


async def _connect(
    desk: Desk, admin: str, kind: str, settings: dict[str, Any], credentials: dict[str, str]
) -> Any:
    body = {"kind": kind, "name": kind, "settings": settings, "credentials": credentials}
    return await _connect_as(desk, admin, body)


async def _connect_as(desk: Desk, admin: str, body: dict[str, Any]) -> Any:
    answer = await desk.ask("POST", "/v1/connections", admin, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port
