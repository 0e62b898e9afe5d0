"""Simulated desks on which a person answers at any moment: the bot never speaks over them.

Time is virtual: calls take up to two seconds, the person's hook comes up to 30 seconds late, and a
failed attempt waits as long as the service says. Only what the desk shows at the last look before
posting counts.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal

import pytest

from app.connectors.helpdesk import Answer, Overtaken, TicketView
from app.db.connections import queries
from app.execution.wiring import Service
from app.services.connections.deliver import deliver
from app.services.connections.retries import wait_seconds
from app.services.connections.tickets import ticket_name
from app.services.conversations import takeover
from tests.conftest import Tenant
from tests.fake_desk import FakeDesk
from tests.integration.waiting_replies import TEXT, WaitingReplies, waiting_replies

# Desks with a guard of their own, and as many without.
FEW, ALL, AT_ONCE, SEED = 60, 1000, 8, 11
CALL_SECONDS, ACTS_WITHIN_SECONDS, HOOK_DELAY_SECONDS = (0.05, 2.0), 8.0, 30.0
Deed = Literal["reply", "assign"]


@dataclass(slots=True)
class RacingDesk(FakeDesk):
    """A desk with a clock, on which a person acts at `acts_at`; `hook` is called at `hook_at`.

    Without `guards` it has no compare-and-set: it can only be looked at once more before the post.
    """

    ticket_id: str = ""
    random: Random = field(default_factory=Random)
    guards: bool = True
    deed: Deed = "reply"
    now: float = 0.0
    acts_at: float = 0.0
    hook_at: float = 0.0
    hook: Callable[[], Awaitable[None]] | None = None
    acted: bool = False
    # Whether the person could be seen at the last look before now.
    shown: bool = False
    # The desk is posting: what it looks up for itself is no look of ours.
    posting: bool = False
    # Of each post after the person's deed: whether the last look before it had shown the person.
    over_a_person: list[bool] = field(default_factory=list)

    async def passes(self, seconds: float) -> None:
        """Let time pass, with what happens meanwhile."""
        self.now += seconds
        if not self.acted and self.now >= self.acts_at:
            self.acted = True
            if self.deed == "reply":
                await self.person_replies(self.ticket_id, "I am on it.")
            else:
                await self.assign_person(self.ticket_id)
        if self.acted and self.hook is not None and self.now >= self.hook_at:
            hook, self.hook = self.hook, None
            await hook()

    async def read(self, ticket_id: str) -> TicketView:
        """Look: the answer shows the ticket as it was before the way back."""
        if self.posting:
            return await FakeDesk.read(self, ticket_id)
        await self._half_a_call()
        view = await FakeDesk.read(self, ticket_id)
        self.shown = self.acted
        await self._half_a_call()
        return view

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """Post; a desk without a guard is looked at once more, as each such connector does."""
        if not self.guards:
            if (await self.read(ticket_id)).stamp != expect:
                return Overtaken()
            await self._half_a_call()
            expect = self.tickets[ticket_id].view.stamp
        else:
            await self._half_a_call()
        before = self.own_messages()
        self.posting = True
        try:
            return await FakeDesk.reply(self, ticket_id, text, key=key, expect=expect)
        finally:
            self.posting = False
            if self.own_messages() > before and self.acted:
                self.over_a_person.append(self.shown)
            await self._half_a_call()

    def own_messages(self) -> int:
        """How many messages of the ticket are the bot's."""
        return sum(m.author == "bot" for m in self.tickets[self.ticket_id].view.messages)

    async def _half_a_call(self) -> None:
        await self.passes(self.random.uniform(*CALL_SECONDS) / 2)


@dataclass(slots=True)
class Simulation:
    """Desks of one tenant."""

    replies: WaitingReplies

    async def one(self, number: int, *, guards: bool) -> RacingDesk:
        """A desk with one waiting reply, delivered until it has ended."""
        desk = await self._desk(number, guards=guards)
        name, sessions = self.name(desk), self.replies.service.sessions
        tenant_id = self.replies.tenant.id

        async def hook() -> None:
            async with sessions.begin() as session:
                await takeover.take_over(session, tenant_id, name, "Emma")

        desk.hook = hook
        await self.replies.add(name)
        while (found := await self.replies.next_attempt(name)) is not None:
            await deliver(sessions, self.replies.row, desk, found)
            await desk.passes(wait_seconds(found.attempts, None))
        return desk

    async def _desk(self, number: int, *, guards: bool) -> RacingDesk:
        random = Random(f"{SEED}-{number}-{guards}")  # noqa: S311  # no secret
        acts_at = random.uniform(0, ACTS_WITHIN_SECONDS)
        desk = RacingDesk(
            random=random,
            guards=guards,
            deed=random.choice(["reply", "assign"]),
            acts_at=float("inf"),
            hook_at=acts_at + random.uniform(0, HOOK_DELAY_SECONDS),
        )
        opened = await desk.open_ticket("Help", "Where is my order?")
        desk.ticket_id = f"{number}-{guards}"
        desk.tickets[desk.ticket_id] = desk.tickets.pop(opened)
        desk.acts_at = acts_at
        if random.random() < 0.3:
            desk.lose_answer(random.randint(0, 3))
        return desk

    def name(self, desk: RacingDesk) -> str:
        """What we call its one ticket."""
        return ticket_name(self.replies.row.id, desk.ticket_id)


@pytest.fixture
async def simulation(service: Service, tenant: Tenant) -> Simulation:
    """Of a tenant with a connection."""
    return Simulation(await waiting_replies(service, tenant))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("guards", [True, False])
async def test_bot_never_speaks_over_a_person_it_could_see(
    simulation: Simulation, guards: bool, thorough: bool
) -> None:
    """With a guard of the desk not even in the window between the last look and the post."""
    ends: Counter[str] = Counter()
    window = 0
    numbers = iter(range(ALL if thorough else FEW))

    async def one_after_the_other() -> None:
        nonlocal window
        for number in numbers:
            desk = await simulation.one(number, guards=guards)
            said = await desk.customer_saw(desk.ticket_id)
            assert said.count(TEXT) <= 1, "never twice"
            assert not any(desk.over_a_person), "it had seen the person, and posted"
            window += len(desk.over_a_person)
            found, message = await simulation.replies.end(simulation.name(desk))
            ends[found.status] += 1
            assert message.public == (TEXT in said), "what we remember is what was said"

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_the_other())
    assert set(ends) == {"sent", "overtaken"}, ends
    assert min(ends.values()) > FEW / 6, ends
    assert (window == 0) if guards else (window > 0)
    async with simulation.replies.service.sessions() as session:
        row = await queries.get_connection(
            session, simulation.replies.tenant.id, simulation.replies.row.id
        )
    assert row is not None
    assert row.paused_because is None
