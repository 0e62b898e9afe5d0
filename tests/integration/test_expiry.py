"""An approval is reminded of once, in its last quarter, and then expires with nothing done."""

from datetime import timedelta

import pytest
from sqlalchemy import func, text, update

from app.db.core.connections import Sessions
from app.db.effects.reminders import mark_reminded
from app.db.runs.queue import enqueue_run
from app.db.tables.approvals_and_ledger import Approval
from app.lifecycle import ApprovalStatus, RunStatus
from app.services.approvals import deadlines
from graphs.policy import Policy
from tests.conftest import Tenant
from tests.integration.boxes import gate_of
from tests.integration.conftest import Begin
from tests.integration.paused import PLAN, Desk
from tests.integration.reads import rows_read
from tools.errors import ApprovalRequiredError
from tools.ledger import Call
from tools.ports import Caller

pytestmark = pytest.mark.no_articles


@pytest.fixture
def desk(sessions: Sessions, tenant: Tenant, begin: Begin) -> Desk:
    """A tenant with people who answer."""
    return Desk(sessions, tenant, begin)


async def age(desk: Desk, approval: Approval, minutes: int) -> None:
    """Open the approval, which lives for an hour, that long ago."""
    ago = timedelta(minutes=minutes)
    query = update(Approval).where(Approval.id == approval.id)
    async with desk.sessions.begin() as session:
        await session.execute(
            query.values(
                created_at=func.now() - ago,
                remind_at=Approval.remind_at - (Approval.created_at - func.now() + ago),
                expires_at=func.now() - ago + timedelta(hours=1),
            )
        )


async def reminded(desk: Desk, approval: Approval) -> bool:
    """Whether a sweep now reminds of it."""
    async with desk.sessions.begin() as session:
        return approval.id in [found.id for found in await mark_reminded(session, 100)]


async def test_reminder_comes_once_in_the_last_quarter(desk: Desk) -> None:
    """Not before, not twice, not after the time is over."""
    approval = await desk.approval(await desk.pause())
    for minutes, due in ((0, False), (44, False), (46, True), (46, False)):
        await age(desk, approval, minutes)
        assert await reminded(desk, approval) is due, minutes
    late = await desk.approval(await desk.pause("T-2"))
    await age(desk, late, 61)
    assert not await reminded(desk, late)


async def test_what_is_decided_gets_no_reminder(desk: Desk) -> None:
    """A half agreed plan still waits; a decided one does not."""
    run = await desk.pause(required_approvers=2)
    approval = await desk.approval(run)
    await desk.decide(await desk.person("Ann"), approval, "approve")
    await age(desk, approval, 50)
    assert await reminded(desk, approval)
    other = await desk.approval(await desk.pause("T-2"))
    await desk.decide(await desk.person("Ben"), other, "reject")
    await age(desk, other, 50)
    assert not await reminded(desk, other)


async def test_half_agreed_plan_expires_with_nothing_done(desk: Desk) -> None:
    """The graph is given `expire`, without steps; the gate permits none of them."""
    run = await desk.pause(required_approvers=2)
    approval = await desk.approval(run)
    await desk.decide(await desk.person("Ann"), approval, "approve")
    await age(desk, approval, 61)
    async with desk.sessions.begin() as session:
        assert await deadlines.expire(session, enqueue_run, 100) >= 1
    closed = await desk.approval(run)
    assert closed.status is ApprovalStatus.EXPIRED
    assert closed.decision is not None
    assert (closed.decision["verdict"], closed.decision["steps"]) == ("expire", [])
    assert (await desk.run(run.id)).status is RunStatus.PENDING
    caller = Caller(run.tenant_id, run.customer_id, run.ticket_id, run.id, run.attempt)
    args = PLAN[0]["args"]
    call = Call("refund_payment", "k", args, PLAN[0]["id"], args["amount_minor"], "USD")
    with pytest.raises(ApprovalRequiredError):
        await gate_of(desk.sessions, caller, Policy()).permit(call)


async def test_idle_look_reads_no_approval_that_is_not_due(desk: Desk) -> None:
    """However many wait: what is not to be reminded of yet is not read."""
    approval = await desk.approval(await desk.pause())
    many = """
        INSERT INTO approvals (id, tenant_id, run_id, ticket_id, interrupt_id, kind, steps, gate,
            digest, verdicts, expires_at, remind_at)
        SELECT gen_random_uuid(), tenant_id, run_id, ticket_id, 'more-' || i, kind, steps, gate,
            digest, verdicts, expires_at, remind_at
        FROM approvals, generate_series(1, 2000) AS i WHERE id = :id"""
    async with desk.sessions() as session:
        await session.execute(text(many), {"id": approval.id})
        await session.execute(text("ANALYZE approvals"))
        before = await rows_read(session, "approvals")
        await mark_reminded(session, 100)
        assert await rows_read(session, "approvals") - before < 100
