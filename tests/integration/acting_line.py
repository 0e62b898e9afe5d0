"""The line to a desk in a simulation: each request takes time, and meanwhile things happen.

Time is virtual. A person acts, their hooks come late and twice, and the worker dies: all of it
while a request is on its way there or its answer on its way back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from tests.conformance.helpdesk import seen
from tests.doubles.fault_proxy import FaultProxy, Request
from tests.hosted_desks import LineHarness
from tests.integration.waiting_replies import TEXT

WAY_SECONDS, HOOK_DELAY_SECONDS, TWICE_SHARE = (0.02, 1.0), 30.0, 0.3
NEVER = float("inf")
AtPost = Literal["nothing", "lost", "dies"]


@dataclass(slots=True)
class Happenings:
    """What happens on one ticket, and when; `acts` is what the person does.

    `hooks` gives what the desk has said since it was last asked; each goes to `take` some time
    later, some twice. `worker` is the attempt that dies at `dies_at`, and `at_post` is what happens
    once, when the desk has taken the reply: the answer is lost, or the worker dies.
    """

    harness: LineHarness
    ticket_id: str
    random: Random
    hooks: Callable[[], list[Any]]
    take: Callable[[Any], Awaitable[None]]
    acts: Callable[[str], Awaitable[None]]
    acts_at: float
    dies_at: float = NEVER
    at_post: AtPost = "nothing"
    worker: asyncio.Task[None] | None = None
    now: float = 0.0
    acted: bool = False
    died: bool = False
    # Whether the person could be seen at the last look before now.
    shown: bool = False
    on_their_way: list[tuple[float, Any]] = field(default_factory=list)
    # Of each post after the person's deed: whether the last look before it had shown the person.
    over_a_person: list[bool] = field(default_factory=list)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, with what happens meanwhile."""
        self.now += seconds
        if not self.acted and self.now >= self.acts_at:
            self.acted = True
            await self.acts(self.ticket_id)
        self._send_hooks()
        due = [one for one in self.on_their_way if one[0] <= self.now]
        self.on_their_way = [one for one in self.on_their_way if one[0] > self.now]
        for _, hook in due:
            await self.take(hook)
        if self.now >= self.dies_at:
            self.dies_at = NEVER
            self.kill()

    def kill(self) -> None:
        """The worker is no more; what it has sent goes on."""
        if self.worker is not None:
            self.died = True
            self.worker.cancel()

    def _send_hooks(self) -> None:
        for hook in self.hooks():
            for _ in range(1 + (self.random.random() < TWICE_SHARE)):
                late = self.random.uniform(0, HOOK_DELAY_SECONDS)
                self.on_their_way.append((self.now + late, hook))

    async def way(self) -> None:
        """A request's way there, or its answer's way back."""
        await self.pass_time(self.random.uniform(*WAY_SECONDS))

    async def replies(self) -> int:
        """How many of the bot's replies the customer has got."""
        return seen(await self.harness.customer_saw(self.ticket_id), TEXT)


class ActingLine(FaultProxy):
    """Hands requests on, one at a time, to a desk on which things happen."""

    def __init__(self, upstream_port: int) -> None:
        super().__init__(upstream_port)
        self.happenings: Happenings | None = None
        # Held while a request is on its way: it goes on when the worker that sent it is dead.
        self.busy = asyncio.Lock()

    async def forward(self, request: Request) -> bytes | None:
        """The desk's answer, with what happened before it and after it."""
        async with self.busy:
            if (at := self.happenings) is None:
                return await super().forward(request)
            await at.way()
            before = await at.replies()
            answer = await super().forward(request)
            if await at.replies() > before:
                if at.acted:
                    at.over_a_person.append(at.shown)
                happens, at.at_post = at.at_post, "nothing"
                if happens == "dies":
                    at.kill()
                if happens != "nothing":
                    return None
            elif request.head.startswith(b"GET "):
                at.shown = at.acted
            await at.way()
            return answer
