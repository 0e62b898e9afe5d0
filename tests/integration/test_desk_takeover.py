"""A takeover over the API and a reply on its way to a desk: never one after the answer."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.connectors.helpdesk import Answer, Posted
from app.db.core.connections import Sessions
from app.db.tables.connections import Connection, Delivery
from app.services.connections.deliver import deliver
from app.services.connections.tickets import ticket_name
from app.services.conversations import takeover
from tests.conftest import Tenant
from tests.integration.slow_desk import SlowDesk, connected_desk, now, reply, view
from tools.errors import UnavailableError

pytestmark = pytest.mark.no_articles

TRIES = 20


class HeldDesk(SlowDesk):
    """A desk that takes a reply when the test lets it; `lost`: and never says so."""

    def __init__(self, *, lost: bool = False) -> None:
        super().__init__(view())
        self.lost = lost
        self.begun, self.released = asyncio.Event(), asyncio.Event()

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """Post it, late."""
        self.begun.set()
        await self.released.wait()
        self.posted.append(text)
        if self.lost:
            raise UnavailableError("no answer")
        return Posted("1")


@pytest.fixture
async def row(sessions: Sessions, tenant: Tenant) -> Connection:
    """A connected desk."""
    return await connected_desk(sessions, tenant)


async def take_over(sessions: Sessions, row: Connection, patience: float = 10.0) -> int:
    """What the route does; how much has not ended."""
    ticket = ticket_name(row.id, "42")
    async with sessions.begin() as session:
        await takeover.take_over(session, row.tenant_id, ticket, "Emma")
    return await takeover.wait_for_begun_replies(sessions, row.tenant_id, ticket, patience)


@pytest.mark.parametrize("lost", [False, True])
async def test_takeover_waits_for_a_post_that_has_begun(
    sessions: Sessions, row: Connection, lost: bool
) -> None:
    """It answers when the post has ended, however that was."""
    delivery, desk = await reply(sessions, row), HeldDesk(lost=lost)
    posting = asyncio.create_task(deliver(sessions, row, desk, delivery))
    await desk.begun.wait()
    taking = asyncio.create_task(take_over(sessions, row))
    assert await take_over(sessions, row, patience=0) == 1, "what has not ended is said"
    assert not taking.done()
    desk.released.set()
    assert await taking == 0
    await posting
    assert len(desk.posted) == 1


async def test_no_post_begins_after_a_takeover_has_answered(
    sessions: Sessions, row: Connection
) -> None:
    """Whatever the worker had read before; nothing is waited for, since nothing had begun."""
    delivery = await reply(sessions, row)

    async def taken() -> None:
        assert await take_over(sessions, row) == 0

    desk = SlowDesk(view(), taken)
    await deliver(sessions, row, desk, delivery)
    assert (desk.posted, (await now(sessions, delivery)).status) == ([], "overtaken")


async def test_what_the_desk_has_at_the_answer_is_all_that_it_gets(
    sessions: Sessions, tenant: Tenant
) -> None:
    """At the same instant, so many times."""
    ends = set()
    for turn in range(TRIES):
        row = await connected_desk(sessions, tenant)
        delivery = await reply(sessions, row, key=f"reply:{turn}")
        desk = SlowDesk(view())

        async def taken(row: Connection, desk: SlowDesk, turn: int) -> int:
            await asyncio.sleep((turn % 5) / 200)
            assert await take_over(sessions, row) == 0
            return len(desk.posted)

        at_answer, _ = await asyncio.gather(
            taken(row, desk, turn), deliver(sessions, row, desk, delivery)
        )
        assert len(desk.posted) == at_answer
        ends.add((await now(sessions, delivery)).status)
    assert ends == {"sent", "overtaken"}


async def test_post_of_a_dead_worker_is_waited_for_until_its_lease_ends(
    sessions: Sessions, row: Connection
) -> None:
    """After that nothing of it can arrive, and the next attempt sees the takeover."""
    delivery, desk = await reply(sessions, row), HeldDesk()
    posting = asyncio.create_task(deliver(sessions, row, desk, delivery))
    await desk.begun.wait()
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)
    assert await take_over(sessions, row, patience=0) == 1
    async with sessions.begin() as session:
        await session.execute(
            update(Delivery)
            .where(Delivery.id == delivery.id)
            .values(next_at=Delivery.next_at - timedelta(hours=1))
        )
    assert await take_over(sessions, row) == 0
