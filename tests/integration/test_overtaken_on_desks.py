"""Tickets of Zendesk, Zammad and Chatwoot on which a person acts at any moment: one reply at most.

The connectors speak over HTTP to our doubles. Answers are lost, hooks come late and twice, workers
die with a request on its way, and none of it may give a second reply, or one over a person who
could be seen at the last look before it.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, cast
from uuid import uuid4

import pytest

from app.connectors.helpdesk import Answer, Helpdesk, TicketView
from app.db.effects import takeovers
from app.execution.wiring import Service
from app.services.connections.deliver import deliver
from app.services.connections.hooks import take_event
from app.services.connections.retries import wait_seconds
from app.services.connections.tickets import ticket_name
from tests.conftest import Tenant
from tests.hosted_desks import HOSTED, HostedDesk, Line, zammad, zendesk
from tests.integration.acting_line import NEVER, ActingLine, Happenings
from tests.integration.waiting_replies import WaitingReplies, waiting_replies

# Of each desk; all of them together are 1,000 tickets.
FEW, ALL, SEED = 16, 334, 5
# Within the first attempt, or at some time that the second one after a death may see.
ACTS_WITHIN_SECONDS, LEASE_SECONDS = (14.0, 400.0), 150.0
# The calls of a slow attempt, and how long they take.
CALLS, DIES_WITHIN_SECONDS = 13, 14.0
LOST_SHARE, KILLED_SHARE, MOST_ATTEMPTS = 0.3, 0.3, 30
log = logging.getLogger(__name__)


def line_of(at: HostedDesk) -> ActingLine:
    """Where the connector's requests pass."""
    return cast(ActingLine, at.harness.proxy)


@dataclass(slots=True)
class Ticket:
    """A ticket with one waiting reply."""

    replies: WaitingReplies
    at: HostedDesk
    happens: Happenings
    # An attempt ended without knowing that it had posted.
    unknown: bool = False

    @property
    def name(self) -> str:
        """What we call it."""
        return ticket_name(self.replies.row.id, self.happens.ticket_id)

    async def run(self, desk: Helpdesk) -> None:
        """Deliver the reply by `desk` until it has ended, then let every hook come."""
        await self.replies.add(self.name)
        line_of(self.at).happenings = self.happens
        for _ in range(MOST_ATTEMPTS):
            if (found := await self.replies.next_attempt(self.name)) is None:
                break
            self.unknown = self.unknown or await self.happens.replies() > 0
            work = deliver(self.replies.service.sessions, self.replies.row, desk, found)
            waits = (
                LEASE_SECONDS if await self._is_killed(work) else wait_seconds(found.attempts, None)
            )
            await self.happens.pass_time(waits)
        line_of(self.at).happenings = None
        for _ in range(2):
            await self.happens.pass_time(1000)

    async def _is_killed(self, work: Any) -> bool:
        """Whether the worker died of it; what it had sent then goes on without it."""
        self.happens.worker = asyncio.create_task(work)
        await asyncio.wait([self.happens.worker])
        async with line_of(self.at).busy:
            return self.happens.worker.cancelled()

    async def violations(self, ends: Counter[str]) -> list[str]:
        """What is wrong at the end."""
        found, message = await self.replies.end(self.name)
        ends[found.status] += 1
        ends["killed"] += self.happens.died
        ends["posted unknown to us"] += self.unknown
        said = await self.happens.replies()
        async with self.replies.service.sessions() as session:
            taken = await takeovers.get_takeover(session, self.replies.tenant.id, self.name)
        laws = {
            "said twice": said > 1,
            "not ended": found.status not in ("sent", "overtaken"),
            "posted over a person it had seen": any(self.happens.over_a_person),
            "remembered otherwise": message.public != (said == 1),
            "ended otherwise": (found.status == "sent") != (said == 1),
            "the person has not got it": taken is None,
        }
        return [f"{self.name}: {law}" for law, broken in laws.items() if broken]


async def a_ticket(replies: WaitingReplies, at: HostedDesk, number: int) -> Ticket:
    """The next ticket of the desk, with what will happen on it."""
    random = Random(f"{SEED}-{at.connector.kind}-{number}")  # noqa: S311  # no secret
    harness = at.harness

    async def take(hook: Any) -> None:
        assert at.connector.read_hook is not None
        event = at.connector.read_hook(at.opened, hook)
        await take_event(replies.service.sessions, replies.row, uuid4().hex, event)

    deeds: list[Callable[[str], Awaitable[None]]] = [
        partial(harness.person_replies, text="I am on it."),
        harness.assign_person,
    ]
    happens = Happenings(
        harness=harness,
        ticket_id=await harness.open_ticket("Help", "Where is my order?"),
        random=random,
        hooks=at.hooks,
        take=take,
        acts=random.choice(deeds),
        acts_at=random.uniform(0, random.choice(ACTS_WITHIN_SECONDS)),
        at_post=random.choices(("nothing", "lost", "dies"), (2, 1, 1))[0],
        dies_at=random.uniform(0, DIES_WITHIN_SECONDS) if random.random() < KILLED_SHARE else NEVER,
    )
    if random.random() < LOST_SHARE:
        harness.lose_answer(random.randint(0, CALLS))
    return Ticket(replies, at, happens)


@pytest.fixture
async def replies(service: Service, tenant: Tenant) -> WaitingReplies:
    """Of a tenant with a connection."""
    return await waiting_replies(service, tenant)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("desk", HOSTED)
async def test_one_reply_at_most_and_none_over_a_person(
    replies: WaitingReplies,
    desk: Callable[[Line], AbstractAsyncContextManager[HostedDesk]],
    thorough: bool,
) -> None:
    """Where the desk compares by itself, not even between the last look and the post."""
    ends: Counter[str] = Counter()
    wrong: list[str] = []
    async with desk(ActingLine) as at:
        for number in range(ALL if thorough else FEW):
            ticket = await a_ticket(replies, at, number)
            await ticket.run(at.harness.desk)
            at.harness.forget_faults()
            wrong += await ticket.violations(ends)
            ends["in the window"] += len(ticket.happens.over_a_person)
    assert wrong == []
    assert (
        min(ends[name] for name in ("sent", "overtaken", "killed", "posted unknown to us")) > 0
    ), ends
    assert desk is not zendesk or ends["in the window"] == 0
    log.info("%s: %s", desk.__name__, dict(ends))


class Careless(Helpdesk):
    """A connector as none may be: it posts whatever happened, and under no key that it finds."""

    def __init__(self, desk: Helpdesk) -> None:
        self._desk = desk

    async def read(self, ticket_id: str) -> TicketView:
        """The ticket as it is now."""
        return await self._desk.read(ticket_id)

    async def find_reply(self, ticket_id: str, key: str) -> str | None:
        """Nothing."""
        return None

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """Post to the ticket as it is by now."""
        stamp = (await self._desk.read(ticket_id)).stamp
        return await self._desk.reply(ticket_id, text, key=uuid4().hex, expect=stamp)

    async def note(self, ticket_id: str, text: str, *, key: str) -> Answer:
        """As it is."""
        return await self._desk.note(ticket_id, text, key=key)

    async def change(self, ticket_id: str, change: Any, *, key: str) -> Answer:
        """As it is."""
        return await self._desk.change(ticket_id, change, key=key)


async def test_careless_connector_breaks_the_laws(replies: WaitingReplies) -> None:
    """So the simulation would see one."""
    missing = {"said twice", "posted over a person it had seen"}
    async with zammad(ActingLine) as at:
        for number in range(2 * FEW):
            ticket = await a_ticket(replies, at, number)
            await ticket.run(Careless(at.harness.desk))
            at.harness.forget_faults()
            missing -= {one.split(": ", 1)[1] for one in await ticket.violations(Counter())}
            if not missing:
                return
    pytest.fail(f"not seen: {missing}")
