"""Who leaves the queue of runs and who keeps a place on it: no run holds up the others."""

from datetime import timedelta
from typing import LiteralString

import psycopg
import pytest
from sqlalchemy import func, select, update

from app.db.core.connections import direct_connection, direct_url
from app.db.runs.queue import enqueue_run
from app.db.tables.runs import Run
from app.execution.claim import Claimant, claim
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from app.worker.run_runner import RunRunner
from tests.conftest import Tenant
from tests.integration.queued_runs import WORKER, queued, start, take

pytestmark = pytest.mark.no_articles

# The database refuses every claim of one ticket's runs.
REFUSE: tuple[LiteralString, ...] = (
    """
CREATE FUNCTION refuse_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'refused'; END $$""",
    """
CREATE TRIGGER refuse_claim BEFORE UPDATE ON runs FOR EACH ROW
WHEN (NEW.status = 'running' AND NEW.ticket_id = 'T-bad') EXECUTE FUNCTION refuse_claim()""",
)


async def test_one_run_of_a_ticket_absorbs_what_waits_with_it(
    own: tuple[Service, Tenant],
) -> None:
    """A look that finds several messages of a ticket leaves them to the first, in their order."""
    service, tenant = own
    sessions = service.sessions
    made = [await start(sessions, tenant, "T-1", body=f"m{n}") for n in range(6)]
    turn = await take(sessions)
    assert (turn.claimed, turn.followed) == ([], [made[0].id])
    assert await queued(sessions) == {made[0].id, *[run.id for run in made[4:]]}
    claimed = await claim(sessions, made[0].id, Claimant(WORKER, 1))
    assert claimed is not None
    assert claimed.ticket["body"] == "\n\n".join(f"m{n}" for n in range(6))
    assert not await queued(sessions)


async def test_run_that_an_earlier_release_claimed_leaves_the_queue(
    own: tuple[Service, Tenant],
) -> None:
    """Its worker takes nothing off the queue; messages behind the run do not keep it there."""
    service, tenant = own
    sessions = service.sessions
    first = await start(sessions, tenant, "T-1")
    await start(sessions, tenant, "T-1")
    async with sessions.begin() as session:
        begun = {"status": RunStatus.RUNNING, "started_at": func.now(), "worker_id": 7}
        await session.execute(update(Run).where(Run.id == first.id).values(begun))
    turn = await take(sessions)
    assert (turn.claimed, turn.followed) == ([], [])
    assert not await queued(sessions), "the second follows when the first has ended"


async def test_run_that_an_earlier_release_cancelled_leaves_the_queue(
    own: tuple[Service, Tenant],
) -> None:
    """The messages behind it are still answered together."""
    service, tenant = own
    sessions = service.sessions
    first, second, third = [await start(sessions, tenant, "T-1") for _ in range(3)]
    async with sessions.begin() as session:
        ended = {"status": RunStatus.CANCELLED, "finished_at": func.now()}
        await session.execute(update(Run).where(Run.id == first.id).values(ended))
    turn = await take(sessions)
    assert (turn.claimed, turn.followed) == ([], [second.id])
    assert await queued(sessions) == {second.id}
    claimed = await claim(sessions, second.id, Claimant(WORKER, 1))
    assert claimed is not None
    assert claimed.ticket["lengths"] == [1, 1], f"{third.id} is absorbed"


async def test_waiting_run_keeps_its_place(own: tuple[Service, Tenant]) -> None:
    """Each end of a run of its customer queues it again: that must not let others pass it."""
    service, tenant = own
    sessions = service.sessions
    first = await start(sessions, tenant, "T-1")
    await start(sessions, tenant, "T-2")
    async with sessions.begin() as session:
        await enqueue_run(session, first.id, None)
    assert [run.id for run in (await take(sessions, 1)).claimed] == [first.id]


async def test_time_that_is_over_is_no_place_ahead_of_others(own: tuple[Service, Tenant]) -> None:
    """A message that waited for its ticket goes to the end, however long ago it was due."""
    service, tenant = own
    sessions = service.sessions
    refused = [await start(sessions, tenant, "T-1") for _ in range(2)][1]
    assert (await take(sessions)).followed
    waiting = await start(sessions, tenant, "T-2")
    async with sessions.begin() as session:
        await enqueue_run(session, refused.id, refused.not_before - timedelta(hours=1))
    async with sessions() as session:
        in_order = select(Run.id).where(Run.queued_for.is_not(None)).order_by(Run.queued_for)
        assert list(await session.scalars(in_order))[1:] == [waiting.id, refused.id]


async def test_refused_claims_do_not_hold_the_head_of_the_queue(
    own: tuple[Service, Tenant],
) -> None:
    """A run that the database never lets begin steps aside until the sweep, alone or followed."""
    service, tenant = own
    sessions = service.sessions
    runner = RunRunner(service, enqueue_run, id=WORKER)
    runner.alive.set()
    async with direct_connection(direct_url(service.settings)) as other:
        for statement in REFUSE:
            await other.execute(statement)
    bad = await start(sessions, tenant, "T-bad")
    with pytest.raises(psycopg.errors.RaiseException):
        await runner.take(1)
    assert not await queued(sessions)
    await start(sessions, tenant, "T-bad")
    async with sessions.begin() as session:
        await enqueue_run(session, bad.id, None)
    assert (await runner.take(4)).followed == [bad.id]
    with pytest.raises(psycopg.errors.RaiseException):
        await runner.advance(bad.id)
    assert not await queued(sessions)
    assert not runner.mine
    good = await start(sessions, tenant, "T-good")
    assert [run.id for run in (await runner.take(1)).claimed] == [good.id]
