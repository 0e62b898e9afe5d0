"""An event is noted with the change it tells of, and one worker of many gets it."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, update

from app.db.core.connections import Sessions
from app.db.runs.queue import enqueue_run
from app.db.runs.transitions import Ending
from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.runs import Run
from app.db.webhooks import queries as webhook_queries
from app.db.webhooks.secrets import signing_secrets
from app.execution import finish
from app.lifecycle import RunStatus
from app.services.approvals import deadlines
from app.services.runs import start_and_cancel
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.outbox import DONE, LEASE, claim, noted_body, rows, running, settle
from tests.integration.paused import Desk

pytestmark = pytest.mark.no_articles


@pytest.fixture
def desk(sessions: Sessions, tenant: Tenant, begin: Begin) -> Desk:
    """A tenant with people who answer."""
    return Desk(sessions, tenant, begin)


async def test_event_and_change_are_one_transaction(desk: Desk) -> None:
    """A rolled-back end sends no callback; a committed one does."""
    run = await running(desk, "https://a.example/")
    async with desk.sessions.begin() as session:
        assert await finish.settle(session, enqueue_run, run, DONE)
        await session.rollback()
    assert await rows(desk) == []
    await settle(desk, run)
    [noted] = await rows(desk)
    assert (noted.event, noted.status, noted.attempts) == ("run.finished", "pending", 0)


async def test_lost_attempt_tells_nothing(desk: Desk) -> None:
    """A settle that another attempt forestalled leaves no event."""
    run = await running(desk, "https://a.example/")
    await settle(desk, run)
    async with desk.sessions.begin() as session:
        assert not await finish.settle(session, enqueue_run, run, DONE)
    assert len(await rows(desk)) == 1


async def test_run_without_url_sends_no_callback(desk: Desk) -> None:
    """And its tenant gets no secret for it."""
    await desk.pause()
    assert await rows(desk) == []
    async with desk.sessions() as session:
        assert await signing_secrets(session, desk.tenant.id) == []


async def test_pause_reminder_and_expiry_are_sent_in_order(desk: Desk) -> None:
    """With the approval, its link, and one number after the other."""
    run = await running(desk, "https://a.example/")
    await desk.stop(run, "gate-1")
    approval = await desk.approval(run)
    age = update(Approval).where(Approval.id == approval.id)
    async with desk.sessions.begin() as session:
        await session.execute(age.values(expires_at=func.now() + timedelta(seconds=60)))
        await session.execute(age.values(remind_at=func.now()))
    async with desk.sessions.begin() as session:
        await deadlines.remind(session, 1000)
    async with desk.sessions.begin() as session:
        await session.execute(age.values(expires_at=func.now()))
    async with desk.sessions.begin() as session:
        await deadlines.expire(session, enqueue_run, 1000)
    bodies = [noted_body(row) for row in await rows(desk)]
    assert [(body["type"], body["data"]["sequence"]) for body in bodies] == [
        ("run.interrupted", 1), ("approval.reminder", 2), ("approval.expired", 3)
    ]  # fmt: skip
    for body in bodies:
        assert body["data"]["approval_id"] == str(approval.id)
        assert body["data"]["links"]["approval"] == f"/v1/approvals/{approval.id}"
        assert body["data"]["run_id"] == str(run.id)


async def test_every_end_is_sent_once(desk: Desk) -> None:
    """Success, error, timeout, a cancel while it ran, a cancel while it waited."""
    ends = [RunStatus.SUCCESS, RunStatus.ERROR, RunStatus.TIMEOUT, RunStatus.CANCELLED]
    for number, status in enumerate(ends):
        run = await running(desk, "https://a.example/", f"T-{number}")
        outcome = "answered" if status is RunStatus.SUCCESS else None
        await settle(desk, run, Ending(status, outcome=outcome))
    waiting = await running(desk, "https://a.example/", "T-9")
    await settle(desk, waiting, Ending(RunStatus.PENDING))
    async with desk.sessions.begin() as session:
        await start_and_cancel.cancel(session, enqueue_run, desk.tenant.id, waiting.id)
    bodies = [noted_body(row)["data"] for row in await rows(desk)]
    assert [data["status"] for data in bodies] == [*ends, "cancelled"]
    assert [data["outcome"] for data in bodies] == ["answered", None, None, None, None]


async def test_merged_message_names_the_run_that_answers_it(desk: Desk) -> None:
    """Its run ends as cancelled, with the run that took it in."""
    run = await desk.pause()
    second = await desk.write("and another thing")
    async with desk.sessions.begin() as session:
        its = update(Run).where(Run.id == second.id)
        await session.execute(its.values(callback_url="https://a.example/"))
    approval = await desk.approval(run)
    await desk.decide(await desk.person("Ann"), approval, "respond", comment="look again")
    [row] = await rows(desk)
    data = noted_body(row)["data"]
    assert (data["run_id"], data["status"]) == (str(second.id), "cancelled")
    assert data["merged_into"] == str(run.id)


async def test_one_of_many_workers_gets_a_callback(desk: Desk) -> None:
    """However many ask at the same instant, and none before the lease is over."""
    await settle(desk, await running(desk, "https://a.example/"))
    got = await asyncio.gather(*(claim(desk) for _ in range(5)))
    assert sum(len(claimed) for claimed in got) == 1
    assert await claim(desk) == []


async def test_busy_tenant_lets_others_go_first(desk: Desk) -> None:
    """What it has waiting is not claimed while it holds its share."""
    await settle(desk, await running(desk, "https://a.example/"))
    async with desk.sessions.begin() as session:
        claimed = await webhook_queries.claim(session, LEASE, 1000, [desk.tenant.id])
    assert desk.tenant.id not in {callback.tenant_id for callback in claimed}
