"""Use cases of an approval: decide it once, remind of it, let it expire. They never commit."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.effects import approvals
from app.db.effects.reminders import mark_reminded
from app.db.runs import queries as run_queries
from app.db.runs import transitions
from app.db.tables.approvals_and_ledger import Approval, Decision
from app.db.tables.runs import Run
from app.db.tables.tenants import ApiKey
from app.errors import (
    AlreadyDecidedError,
    ApprovalExpiredError,
    InvalidRequestError,
    NotFoundError,
    NotWaitingError,
    OwnRunError,
    StaleDigestError,
)
from app.lifecycle import ApprovalStatus
from app.log import get_logger
from app.services.approvals.decision import (
    GivenAnswer,
    decided_steps,
    new_decision,
    refuse_repeat,
    resolve,
)
from app.services.approvals.edit import refuse_over_limit
from app.services.approvals.reassess_step import reassess_edited_steps
from app.services.runs import start_and_cancel
from app.services.runs.merge_messages import absorb
from app.services.runs.start_and_cancel import Enqueue
from app.services.webhooks import outbox

log = get_logger(__name__)

EXPIRED: dict[str, Any] = {
    "approval_id": "",
    "verdict": "expire",
    "steps": [],
    "comment": "",
    "decided_by": "",
    "messages": [],
}


async def resume(
    session: AsyncSession, enqueue: Enqueue, approver: ApiKey, run_id: UUID, answer: GivenAnswer
) -> Run:
    """Take a person's decision, once, and queue the run to go on unless somebody else must agree.

    Raises:
        NotFoundError, OwnRunError, NotWaitingError, AlreadyDecidedError, ApprovalExpiredError,
        SecondApproverError, StaleDigestError, VerdictNotAllowedError, EditNotAllowedError,
        OverLimitError, InvalidRequestError.
    """
    # The run's lock lets decisions about it come in one after the other.
    run = await start_and_cancel.get(session, approver.tenant_id, run_id, lock=True)
    approval = await approvals.get_approval(session, approver.tenant_id, answer.approval_id)
    if approval is None or approval.run_id != run.id:
        raise NotFoundError(f"Run {run_id} has no approval {answer.approval_id}.")
    await refuse_starter(session, approver, run)
    await refuse_closed(session, approval)
    earlier = (await approvals.decisions_on(session, [approval.id])).get(approval.id, [])
    refuse_repeat(approval, earlier, approver.id, answer)
    if answer.digest != approval.digest:
        raise StaleDigestError("Read the approval again; its digest is another one.")
    edited = decided_steps(approval, answer)
    steps = await reassess_edited_steps(session, approval.tenant_id, approval.steps, edited)
    refuse_over_limit(approver, steps)
    messages = await absorb_newer_messages(session, run, approval, answer)
    if messages:
        await refuse_starter(session, approver, run)
    own = new_decision(approver, approval, answer, steps)
    values = resolve(approval, [*earlier, own], steps, messages)
    await record_decision(session, approval, own, values)
    if "decision" in values:
        await reopen(session, enqueue, run.id)
    await session.refresh(run)
    return run


async def refuse_starter(session: AsyncSession, approver: ApiKey, run: Run) -> None:
    """Raise OwnRunError when the key started the run, one that it replays, or a message in these.

    A replay by another key makes nobody the approver of what they started themselves.
    """
    if approver.id in await run_queries.starters(session, run):
        raise OwnRunError(
            "Another key must decide: this one started the run, a message in it, "
            "or a run that it replays."
        )


async def absorb_newer_messages(
    session: AsyncSession, run: Run, approval: Approval, answer: GivenAnswer
) -> list[str]:
    """The customer's newer messages that another plan takes in, oldest first; none otherwise.

    Another draft takes none: it answers what was read and done before, and a message that nobody
    planned for would be answered with words alone.

    Raises:
        InvalidRequestError: there is neither guidance nor a message to go on with.
    """
    if answer.verdict != "respond":
        return []
    messages = await absorb(session, run) if approval.kind == "plan" else []
    if not messages and not answer.comment.strip():
        why = "must say what to do differently, since no newer message goes into it"
        told = [{"pointer": "/comment", "detail": why}]
        raise InvalidRequestError(f"/comment {why}.", errors=told)
    return messages


async def record_decision(
    session: AsyncSession, approval: Approval, own: Decision, values: dict[str, Any]
) -> None:
    """Store the answer and what it changes, by compare-and-set.

    Raises:
        ApprovalExpiredError, StaleDigestError: time or somebody else was faster.
    """
    if not await approvals.record_decision(session, approval, **values):
        await session.refresh(approval)
        await refuse_closed(session, approval)
        raise StaleDigestError("Read the approval again; somebody just answered it.")
    session.add(own)


async def reopen(session: AsyncSession, enqueue: Enqueue, run_id: UUID) -> None:
    """Let the run go on with the answer. Raises NotWaitingError when it stopped waiting."""
    if not await transitions.reopen(session, run_id):
        raise NotWaitingError(f"Run {run_id} is not waiting any more.")
    await enqueue(session, run_id, None)


async def refuse_closed(session: AsyncSession, approval: Approval) -> None:
    """Say why an approval that is not open cannot be decided."""
    match approval.status:
        case ApprovalStatus.PENDING if await approvals.is_due(session, approval.id):
            raise ApprovalExpiredError("Nobody decided in time; the ticket goes to a person.")
        case ApprovalStatus.PENDING:
            return
        case ApprovalStatus.EXPIRED:
            raise ApprovalExpiredError("Nobody decided in time; the ticket went to a person.")
        case ApprovalStatus.CANCELLED:
            raise NotWaitingError("The run was cancelled; there is nothing to decide.")
        case _:
            decision = approval.decision or {}
            told = {key: decision.get(key) for key in ("verdict", "decided_by", "comment")}
            raise AlreadyDecidedError("This approval was decided before.", decision=told)


async def remind(session: AsyncSession, limit: int) -> None:
    """Say once of each open approval that its last quarter has begun."""
    for approval in await mark_reminded(session, limit):
        run = await run_queries.get_run(session, approval.tenant_id, approval.run_id)
        assert run is not None, "an approval is of a run"
        await outbox.note_approval(session, run, approval, "reminder")
        log.info(
            "approval_reminder",
            approval_id=str(approval.id),
            run_id=str(approval.run_id),
            tenant_id=approval.tenant_id,
            expires_at=approval.expires_at.isoformat(),
        )


async def expire(session: AsyncSession, enqueue: Enqueue, limit: int) -> int:
    """Answer overdue approvals with `expire` and let their runs go on; how many there were."""
    due = await approvals.overdue_approvals(session, limit)
    for approval in due:
        # The run first, as everywhere, so that no two transactions wait for each other.
        run = await run_queries.get_run(session, approval.tenant_id, approval.run_id, lock=True)
        expired = await approvals.expire(session, approval.id, EXPIRED)
        if expired and run and await transitions.reopen(session, run.id):
            await outbox.note_approval(session, run, approval, "expired")
            await enqueue(session, approval.run_id, None)
    return len(due)
