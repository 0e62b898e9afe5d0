"""Events are written with the change they tell of, and read once each, in one order."""

import asyncio
import random
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select

from app.db.core.connections import Sessions
from app.db.events.queries import end_of_events, events_between, last_event
from app.db.runs import transitions
from app.db.runs.queue import enqueue_run
from app.db.runs.steps import UPSERT_STEPS, step_row
from app.db.runs.transitions import Ending
from app.db.tables.events import Event, Position
from app.execution import finish
from app.lifecycle import RunStatus
from app.services.runs import start_and_cancel
from tests.conftest import Tenant
from tests.integration.claims import claim_one
from tests.integration.conftest import WORKER, Begin
from tests.integration.paused import Desk

pytestmark = pytest.mark.no_articles

START = Position(0, 0)


class Reader:
    """Reads a tenant's events page by page, going on behind the last one that it saw."""

    def __init__(self, sessions: Sessions, tenant_id: str, page: int = 3) -> None:
        self.sessions, self.tenant_id, self.page = sessions, tenant_id, page
        self.seen: list[Event] = []

    async def read(self) -> list[str]:
        """All that can be read now; the types of what was new."""
        new: list[Event] = []
        while True:
            after = self.seen[-1].position if self.seen else START
            async with self.sessions() as session:
                end = await end_of_events(session)
                found = await events_between(session, after, end, self.page, [self.tenant_id])
            self.seen += found
            new += found
            if len(found) < self.page:
                return [event.type for event in new]


async def types_of(sessions: Sessions, run_id: UUID) -> list[str]:
    """What was written about a run, in the order of writing."""
    query = select(Event.type).where(Event.run_id == run_id).order_by(Event.txid, Event.seq)
    async with sessions() as session:
        return list(await session.scalars(query))


async def note(session: Any, tenant_id: str, type_: str) -> None:
    """Write an event as a trigger would."""
    row = {"tenant_id": tenant_id, "run_id": uuid4(), "type": type_, "data": {}}
    await session.execute(insert(Event).values(row))


async def test_event_of_an_older_transaction_that_commits_later_is_not_missed(
    sessions: Sessions, tenant: Tenant
) -> None:
    """The younger one's event waits for the older one's, which has the lower number."""
    reader = Reader(sessions, tenant.id)
    async with sessions() as older, sessions() as younger:
        await note(older, tenant.id, "older")
        await note(younger, tenant.id, "younger")
        await younger.commit()
        assert await reader.read() == [], "a reader at this point would skip the older one"
        await older.commit()
    assert await reader.read() == ["older", "younger"]
    assert await reader.read() == []


async def test_place_that_is_held_is_that_of_a_stored_event(
    sessions: Sessions, tenant: Tenant
) -> None:
    """Numbers of transactions that left nothing do not count: a crash gives them again."""
    async with sessions.begin() as session:
        await note(session, tenant.id, "stored")
    for _ in range(3):
        async with sessions() as gone:
            await note(gone, tenant.id, "gone")
            await gone.rollback()
    reader = Reader(sessions, tenant.id)
    assert await reader.read() == ["stored"]
    async with sessions() as session:
        assert await last_event(session) == reader.seen[-1].position
        assert await end_of_events(session) > reader.seen[-1].position


async def test_lower_number_in_a_younger_transaction_is_not_missed(
    sessions: Sessions, tenant: Tenant
) -> None:
    """The order is that of transactions, so a number drawn early cannot hide behind the cursor."""
    reader = Reader(sessions, tenant.id)
    async with sessions() as older, sessions() as younger:
        await note(older, tenant.id, "1 older")
        await note(younger, tenant.id, "3 younger")
        await note(older, tenant.id, "2 older")
        await younger.commit()
        await older.commit()
    assert await reader.read() == ["1 older", "2 older", "3 younger"]
    by_seq = sorted(reader.seen, key=lambda event: event.seq)
    assert [event.type for event in by_seq] == ["1 older", "3 younger", "2 older"]


async def test_many_writers_and_readers(sessions: Sessions, tenant: Tenant) -> None:
    """Every reader sees every committed event once, all of them in the same order."""
    chance, writing = random.Random(7), True  # noqa: S311  # the same each time

    async def write(name: int) -> None:
        for turn in range(15):
            async with sessions() as session:
                for part in range(chance.randint(1, 3)):
                    await note(session, tenant.id, f"{name}-{turn}-{part}")
                    await asyncio.sleep(chance.random() / 200)
                await (session.rollback() if chance.random() < 0.2 else session.commit())

    async def read(reader: Reader) -> None:
        while writing:
            await reader.read()
        await reader.read()

    readers = [Reader(sessions, tenant.id, page) for page in (1, 7)]
    reading = [asyncio.create_task(read(reader)) for reader in readers]
    await asyncio.gather(*(write(name) for name in range(5)))
    writing = False
    await asyncio.gather(*reading)
    query = select(Event.seq).where(Event.tenant_id == tenant.id)
    async with sessions() as session:
        written = list(await session.scalars(query.order_by(Event.txid, Event.seq)))
    assert len(written) > 50
    assert [[event.seq for event in reader.seen] for reader in readers] == [written, written]


async def test_life_of_a_run_in_events(sessions: Sessions, tenant: Tenant, begin: Begin) -> None:
    """Created, started, a step, a gate, an answer, on again, back to the queue, and finished."""
    desk = Desk(sessions, tenant, begin)
    run = await desk.pause()
    person = await desk.person("Pat")
    await desk.decide(person, await desk.approval(run), "approve")
    async with sessions.begin() as session:
        claimed = await claim_one(session, run.id, WORKER)
    assert claimed is not None
    step: dict[str, Any] = {
        "run_id": run.id, "tenant_id": tenant.id, "attempt": claimed.attempt, "task_id": "t",
        "node": "act", "status": "running", "started_at": claimed.started_at, "tries": 1,
        "output": None, "error": None, "tokens": 0, "cost_usd": 0,
        "duration_ms": None,
    }  # fmt: skip
    for status in ("running", "success", "success"):
        async with sessions.begin() as session:
            raw: Any = await (await session.connection()).get_raw_connection()
            rows = [[part] for part in step_row({**step, "status": status})]
            await raw.driver_connection.execute(UPSERT_STEPS, rows)
    async with sessions.begin() as session:
        back = Ending(RunStatus.PENDING)
        assert await finish.settle(session, enqueue_run, claimed, back)
    async with sessions.begin() as session:
        await start_and_cancel.cancel(session, enqueue_run, tenant.id, run.id)
    assert await types_of(sessions, run.id) == [
        "run.created", "run.started", "run.interrupted", "approval.opened", "approval.decided",
        "run.resumed", "run.started", "step.finished", "run.requeued", "run.finished",
    ]  # fmt: skip


async def test_change_that_is_rolled_back_leaves_no_event(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """Both happen or neither."""
    caller = await begin()
    before = await types_of(sessions, caller.run_id)
    async with sessions() as session:
        assert await transitions.request_cancel(session, caller.run_id)
        await session.rollback()
    assert await types_of(sessions, caller.run_id) == before
    async with sessions.begin() as session:
        for _ in range(2):
            assert await transitions.request_cancel(session, caller.run_id)
    assert await types_of(sessions, caller.run_id) == [*before, "run.cancel_requested"]
