"""One live run per thread, in whatever order rows become visible."""

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.connections import Sessions
from app.db.effects.approvals import approvals_of_runs
from app.db.runs import queries as run_queries
from app.db.runs import transitions
from app.db.runs.queue import enqueue_run
from app.db.runs.transitions import Ending
from app.db.tables.runs import Run
from app.execution import finish
from app.lifecycle import RunStatus
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import NewRun
from tests.conftest import Tenant
from tests.integration.claims import claim_one

pytestmark = pytest.mark.no_articles

WORKER = 78


async def start(session: AsyncSession, tenant: Tenant, customer: str = "c") -> Run:
    """A pending run of the one ticket."""
    wanted = {"id": "T-1", "subject": "s", "body": "b", "customer": {"id": customer}}
    key_id = tenant.starter.split("_")[1]
    return await start_and_cancel.start(session, tenant.id, key_id, NewRun(wanted, None, {}))


async def claim(sessions: Sessions, run_id: UUID) -> Run | None:
    """Take the run, if it is its turn."""
    async with sessions.begin() as session:
        return await claim_one(session, run_id, WORKER)


async def test_runs_of_a_thread_are_claimed_in_order(sessions: Sessions, tenant: Tenant) -> None:
    """The second waits until the first is final, and is named as the next one then."""
    async with sessions.begin() as session:
        first = await start(session, tenant)
        second = await start(session, tenant)
    assert await claim(sessions, second.id) is None
    claimed = await claim(sessions, first.id)
    assert claimed is not None
    assert await claim(sessions, second.id) is None
    async with sessions.begin() as session:
        assert await run_queries.next_in_thread(session, first.thread_id) is None
        assert await transitions.settle(
            session, first.id, claimed.attempt, Ending(RunStatus.SUCCESS)
        )
        following = await run_queries.next_in_thread(session, first.thread_id)
        assert following is not None
        assert following.id == second.id
    assert await claim(sessions, second.id) is not None


async def test_older_run_that_commits_late_blocks_no_run(
    sessions: Sessions, tenant: Tenant
) -> None:
    """The younger one has begun, pauses and goes on; the older one waits for it.

    Two customers, since one customer's runs are stored one after the other.
    """
    async with sessions() as slow:
        older = await start(slow, tenant, "slow")
        async with sessions.begin() as session:
            younger = await start(session, tenant)
        begun = await claim(sessions, younger.id)
        assert begun is not None
        await slow.commit()
    async with sessions.begin() as session:
        held = await transitions.settle(
            session, younger.id, begun.attempt, Ending(RunStatus.INTERRUPTED)
        )
        assert held
        assert await transitions.reopen(session, younger.id)
    assert await claim(sessions, older.id) is None
    again = await claim(sessions, younger.id)
    assert again is not None
    async with sessions.begin() as session:
        assert await transitions.settle(
            session, younger.id, again.attempt, Ending(RunStatus.SUCCESS)
        )
    assert await claim(sessions, older.id) is not None


async def test_a_claim_belongs_to_one_worker(sessions: Sessions, tenant: Tenant) -> None:
    """The second worker gets nothing, and an old attempt settles nothing."""
    async with sessions.begin() as session:
        run = await start(session, tenant)
    first = await claim(sessions, run.id)
    assert first is not None
    assert await claim(sessions, run.id) is None
    async with sessions.begin() as session:
        assert await transitions.settle(session, run.id, first.attempt, Ending(RunStatus.PENDING))
    second = await claim(sessions, run.id)
    assert second is not None
    async with sessions.begin() as session:
        assert not await transitions.settle(
            session, run.id, first.attempt, Ending(RunStatus.SUCCESS)
        )
        status = await session.scalar(select(Run.status).where(Run.id == run.id))
    assert status is RunStatus.RUNNING


async def test_cancel_that_meets_a_pause_wins(sessions: Sessions, tenant: Tenant) -> None:
    """Answered with 202, so no approval opens and the ticket is free."""
    async with sessions.begin() as session:
        run = await start(session, tenant)
    claimed = await claim(sessions, run.id)
    assert claimed is not None
    async with sessions.begin() as session:
        assert await transitions.request_cancel(session, run.id)
    async with sessions.begin() as session:
        paused = Ending(RunStatus.INTERRUPTED, interrupt_id="i", question={"kind": "plan"})
        assert await finish.settle(session, enqueue_run, claimed, paused)
    async with sessions() as session:
        ended = await start_and_cancel.get(session, tenant.id, run.id)
        assert ended.status is RunStatus.CANCELLED
        assert await approvals_of_runs(session, run.tenant_id, [run.id]) == []
