"""The connected tenant's Zendesk, Zammad and Chatwoot: doubles behind lines, with their own hooks.

Each hook comes some time late, and some come twice; it is sent until it is taken.
"""

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app.services.connections.tickets import ticket_name
from tests.acceptance.crash.desk import Desk
from tests.acceptance.crash.hazard import AROUND_POST
from tests.acceptance.crash.lines import READS, DyingLine
from tests.acceptance.crash.machine import Machine
from tests.doubles.fault_proxy import FaultProxy, Request
from tests.hosted_desks import HOSTED, HostedDesk

LATE_SECONDS, TWICE_SHARE, LOOK_SECONDS = 2.0, 0.2, 0.05
PERSON_SAYS = "I am on it."
Connect = Callable[[dict[str, Any]], Any]


@dataclass
class Hosted:
    """One desk, and its side of the tickets: case number to the desk's own id and what it may have.

    `replies` says how many public replies the bot may have made on the ticket of a case.
    """

    callers: Desk
    at: HostedDesk
    line: DyingLine
    made: dict[str, Any]
    rng: random.Random
    tickets: dict[int, str] = field(default_factory=dict)
    replies: dict[int, tuple[int, ...]] = field(default_factory=dict)
    sending: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self, number: int, text: str, replies: tuple[int, ...]) -> str:
        """A customer writes the ticket of that case; the desk's id of it."""
        self.tickets[number] = await self.at.harness.open_ticket("Help", text)
        self.replies[number] = replies
        return self.tickets[number]

    def name(self, number: int) -> str:
        """What the service calls the case's ticket."""
        return ticket_name(self.made["id"], self.tickets[number])

    async def said(self, number: int) -> int:
        """How many replies of the bot the customer has got."""
        saw = await self.at.harness.customer_saw(self.tickets[number])
        return sum(PERSON_SAYS not in text for text in saw)

    async def send_hooks(self) -> None:
        """Send what the desk says, until cancelled."""
        while True:
            for hook in self.at.hooks():
                for _ in range(1 + (self.rng.random() < TWICE_SHARE)):
                    late = self.rng.uniform(0, LATE_SECONDS)
                    self.sending.add(asyncio.create_task(self._send(hook, late)))
            for task in [task for task in self.sending if task.done()]:
                self.sending.discard(task)
                task.result()
            await asyncio.sleep(LOOK_SECONDS)

    async def _send(self, hook: Any, late: float) -> None:
        await asyncio.sleep(late)
        body, path = json.dumps(hook).encode(), self.made["hook_path"]
        signed = self.at.sign(body, self.made["hook_secret"])
        # The key that `ask` sends along means nothing here: the signature counts.
        key = self.callers.world.starter
        answer = await self.callers.ask("POST", path, key, content=body, headers=signed)
        if answer.status_code != 202:
            kind = self.at.connector.kind
            self.callers.complaints.append(f"hook of {kind}: {answer.status_code} {answer.text}")

    @property
    def is_busy(self) -> bool:
        """Whether a hook is still to come."""
        return bool(self.at.written or self.sending)


@asynccontextmanager
async def hosted(
    callers: Desk, machine: Machine, seed: int, connect: Connect
) -> AsyncIterator[list[Hosted]]:
    """All three, each behind a line of its own, connected by `connect`."""
    found = []
    async with AsyncExitStack() as stack:
        for number, desk in enumerate(HOSTED, seed + 2):
            rng = random.Random(number)  # noqa: S311  # no secret
            line = partial(
                DyingLine, rng=rng, hazard=machine.hazard, sender=machine.worker_at,
                points=AROUND_POST, key_of=write_key, reads=READS,
            )  # fmt: skip
            at = await stack.enter_async_context(desk(line))
            proxy: FaultProxy = at.harness.proxy
            assert isinstance(proxy, DyingLine)
            found.append(Hosted(callers, at, proxy, await connect(at.asked()), rng))
        yield found


def write_key(request: Request) -> str | None:
    """The same for the same change of a ticket; None for what only reads or asks for a token."""
    line = request.head.split(b"\r\n", 1)[0]
    if line.startswith(b"GET ") or b"/oauth/" in line:
        return None
    return hashlib.sha256(line + request.body).hexdigest()
