"""Simulated desks on which a person answers at any moment: the bot never speaks over them.

A hook that tells us of the person comes late or never; only what the desk shows at the last look
before posting counts.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import pytest

from app.connectors.helpdesk import Answer, Overtaken, TicketView
from app.db.connections import deliveries, queries
from app.db.runs.steps import add_message
from app.db.tables.connections import Connection
from app.execution.wiring import Service
from app.services.connections import manage
from app.services.connections.deliver import deliver
from app.services.connections.tickets import ticket_name
from app.services.conversations import takeover
from tests.conftest import Tenant
from tests.fake_desk import FakeDesk
from tests.integration.workplace import Workplace

DESKS, SEED = 60, 11
Outcome = Literal["reply", "assign"]


@dataclass(slots=True)
class RacingDesk(FakeDesk):
    """A person acts just before the call with the number `at`; without `guards` the desk has no
    compare-and-set, as some have none."""

    at: int = 0
    guards: bool = True
    what: Outcome = "reply"
    ticket_id: str = ""
    calls: int = 0
    # Whether a read has shown the person to us before something was posted.
    shown: bool = False
    acted: bool = False
    # The desk is posting: what it looks up for itself is no look of ours.
    posting: bool = False
    over_a_person: list[bool] = field(default_factory=list)

    async def read(self, ticket_id: str) -> TicketView:
        """Look; the person may act first."""
        if not self.posting:
            await self._maybe_act()
        view = await FakeDesk.read(self, ticket_id)
        if not self.posting:
            self.shown = self.acted
        return view

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """Look once more as each connector does, then post; the person may act in between."""
        before = self._own()
        if not self.guards:
            if (await self.read(ticket_id)).stamp != expect:
                return Overtaken()
            await self._maybe_act()
            expect = self.tickets[ticket_id].view.stamp
        else:
            await self._maybe_act()
        self.posting = True
        try:
            return await FakeDesk.reply(self, ticket_id, text, key=key, expect=expect)
        finally:
            self.posting = False
            if self._own() > before and self.acted:
                self.over_a_person.append(self.shown)

    def _own(self) -> int:
        messages = self.tickets[self.ticket_id].view.messages
        return sum(message.author == "bot" for message in messages)

    async def _maybe_act(self) -> None:
        self.calls += 1
        if self.calls == self.at:
            self.acted = True
            if self.what == "reply":
                await self.person_replies(self.ticket_id, "I am on it.")
            else:
                await self.assign_person(self.ticket_id)


@dataclass(slots=True)
class Simulation:
    """Desks of one tenant, and what became of the replies on them."""

    service: Service
    tenant: Tenant
    row: Connection
    run_id: str
    random: random.Random

    async def one(self, number: int, *, guards: bool) -> RacingDesk:
        """A desk with one waiting reply, delivered until it has ended."""
        desk = RacingDesk(
            at=self.random.randint(0, 6),
            guards=guards,
            what=self.random.choice(["reply", "assign"]),
        )
        desk.ticket_id = await desk.open_ticket("Help", "Where is my order?")
        name = ticket_name(self.row.id, f"{number}-{guards}")
        await self._reply_waits(name, f"reply:{name}")
        if self.random.random() < 0.3:
            desk.lose_answer(self.random.randint(0, 3))
        # The hook comes after so many attempts, or never.
        hook = self.random.randint(0, 3)
        for attempt in range(8):
            if attempt == hook and desk.acted:
                async with self.service.sessions.begin() as session:
                    await takeover.take_over(session, self.tenant.id, name, "Emma")
            if not await self._deliver(desk, name):
                break
        return desk

    async def _reply_waits(self, name: str, key: str) -> None:
        async with self.service.sessions.begin() as session:
            await add_message(
                session,
                tenant_id=self.tenant.id,
                ticket_id=name,
                run_id=self.run_id,
                author="deskgraph",
                key=key,
                text="It is on its way.",
                citations=[],
                public=True,
            )
            await deliveries.add(
                session,
                tenant_id=self.tenant.id,
                connection_id=self.row.id,
                ticket_id=name,
                kind="reply",
                key=key,
            )

    async def _deliver(self, desk: RacingDesk, name: str) -> bool:
        """One attempt, whatever time it is; False once the reply has ended."""
        async with self.service.sessions.begin() as session:
            found = await deliveries.find(session, self.tenant.id, "reply", f"reply:{name}")
            assert found is not None
            if found.status != "pending":
                return False
            found.attempts += 1
            await session.flush()
            session.expunge(found)
        # The fake knows its own ticket by another name.
        await deliver(self.service.sessions, self.row, Renamed(desk), found)
        return True


class Renamed(FakeDesk):
    """The desk behind a ticket's name."""

    def __init__(self, inner: RacingDesk) -> None:
        super().__init__()
        self.inner = inner

    async def read(self, ticket_id: str) -> TicketView:
        """The desk's one ticket."""
        return await self.inner.read(self.inner.ticket_id)

    async def find_reply(self, ticket_id: str, key: str) -> str | None:
        """On the desk's one ticket."""
        return await self.inner.find_reply(self.inner.ticket_id, key)

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """On the desk's one ticket."""
        return await self.inner.reply(self.inner.ticket_id, text, key=key, expect=expect)


@pytest.fixture
async def simulation(service: Service, tenant: Tenant) -> Simulation:
    """A tenant with a connection."""
    run = await Workplace(service, tenant).start()
    async with service.sessions.begin() as session:
        settings = {"url": "https://127.0.0.1:1/in"}
        row, _ = await manage.add(session, service.vault, tenant.id, "webhook", "Own", settings, {})
        session.expunge(row)
    return Simulation(service, tenant, row, str(run.id), random.Random(SEED))  # noqa: S311


@pytest.mark.parametrize("guards", [True, False])
async def test_bot_never_speaks_over_a_person_it_could_see(
    simulation: Simulation, guards: bool
) -> None:
    """With a guard of the desk not even in the window between the last look and the post."""
    ends: Counter[str] = Counter()
    window = 0
    for number in range(DESKS):
        desk = await simulation.one(number, guards=guards)
        said = await desk.customer_saw(desk.ticket_id)
        assert said.count("It is on its way.") <= 1, "never twice"
        assert not any(desk.over_a_person), "it had seen the person, and posted"
        window += len(desk.over_a_person)
        name = ticket_name(simulation.row.id, f"{number}-{guards}")
        async with simulation.service.sessions() as session:
            found = await deliveries.find(session, simulation.tenant.id, "reply", f"reply:{name}")
            assert found is not None
            message = await deliveries.message_of(session, simulation.tenant.id, found.key)
        assert message is not None
        ends[found.status] += 1
        posted = "It is on its way." in said
        if found.status != "pending":
            assert message.public == posted, "what we remember is what was said"
    assert ends["sent"] > 5
    assert ends["overtaken"] > 5
    assert (window == 0) if guards else (window > 0)
    async with simulation.service.sessions() as session:
        row = await queries.get_connection(session, simulation.tenant.id, simulation.row.id)
    assert row is not None
    assert row.paused_because is None
