"""Use cases of an approval: decide it once, or let it expire. They never commit."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import runs as run_cases
from app.db import approvals, runs
from app.db.tables import ApiKey, Approval, Decision, Run
from app.edits import StepEdit, apply_edits, refuse_over_limit
from app.errors import (
    AlreadyDecidedError,
    ApprovalExpiredError,
    EditNotAllowedError,
    NotFoundError,
    NotWaitingError,
    OwnRunError,
    StaleDigestError,
    VerdictNotAllowedError,
)
from app.lifecycle import ApprovalStatus
from app.runs import Enqueue

Verdict = Literal["approve", "edit", "reject", "respond"]

STATUS_OF = {
    "approve": ApprovalStatus.APPROVED,
    "edit": ApprovalStatus.EDITED,
    "reject": ApprovalStatus.REJECTED,
    "respond": ApprovalStatus.RESPONDED,
}
EXPIRED = {
    "verdict": "expire",
    "steps": [],
    "comment": "",
    "decided_by": "",
    "approval_id": "",
    "messages": [],
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked request to decide."""

    approval_id: UUID
    digest: str
    verdict: Verdict
    edits: tuple[StepEdit, ...]
    comment: str


async def resume(
    session: AsyncSession, enqueue: Enqueue, approver: ApiKey, run_id: UUID, answer: Answer
) -> Run:
    """Take a person's decision, exactly once, and queue the run to go on.

    Raises:
        NotFoundError, OwnRunError, NotWaitingError, AlreadyDecidedError, ApprovalExpiredError,
        StaleDigestError, VerdictNotAllowedError, EditNotAllowedError, OverLimitError.
    """
    run = await run_cases.get(session, approver.tenant_id, run_id, lock=True)
    approval = await approvals.get_approval(session, approver.tenant_id, answer.approval_id)
    if approval is None or approval.run_id != run.id:
        raise NotFoundError(f"Run {run_id} has no approval {answer.approval_id}.")
    if run.started_by == approver.id:
        raise OwnRunError("Another key must decide about a run that this key started.")
    await refuse_closed(session, approval)
    if answer.digest != approval.digest:
        raise StaleDigestError("Read the approval again; its digest is another one.")
    steps = decided_steps(approval, answer)
    refuse_over_limit(approver, steps)
    decision = {
        "approval_id": str(approval.id),
        "verdict": answer.verdict,
        "steps": steps,
        "comment": answer.comment,
        "decided_by": f"{approver.name} ({approver.id})",
        "messages": [],
    }
    if not await approvals.decide(session, approval.id, STATUS_OF[answer.verdict], decision):
        await session.refresh(approval)
        await refuse_closed(session, approval)
    session.add(
        Decision(
            approval_id=approval.id,
            key_id=approver.id,
            tenant_id=approver.tenant_id,
            decided_by=approver.name,
            verdict=answer.verdict,
            comment=answer.comment,
        )
    )
    await reopen(session, enqueue, run.id)
    await session.refresh(run)
    return run


async def reopen(session: AsyncSession, enqueue: Enqueue, run_id: UUID) -> None:
    """Let the run go on with the answer. Raises NotWaitingError when it stopped waiting."""
    if not await runs.reopen(session, run_id):
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


def decided_steps(approval: Approval, answer: Answer) -> list[dict[str, Any]]:
    """The steps as the reviewer leaves them; none when they reject.

    Raises:
        VerdictNotAllowedError, EditNotAllowedError.
    """
    if answer.verdict not in approval.verdicts:
        offered = ", ".join(approval.verdicts)
        raise VerdictNotAllowedError(f"This approval offers: {offered}.")
    if answer.edits and answer.verdict != "edit":
        raise EditNotAllowedError("Only the verdict `edit` may change steps.")
    if answer.verdict not in ("approve", "edit"):
        return []
    return apply_edits(approval.steps, answer.edits)


async def expire(session: AsyncSession, enqueue: Enqueue, limit: int) -> int:
    """Answer overdue approvals with `expire` and let their runs go on; how many there were."""
    due = await approvals.overdue_approvals(session, limit)
    for approval in due:
        # The run first, as everywhere, so that no two transactions wait for each other.
        await runs.get_run(session, approval.tenant_id, approval.run_id, lock=True)
        expired = await approvals.expire(session, approval.id, EXPIRED)
        if expired and await runs.reopen(session, approval.run_id):
            await enqueue(session, approval.run_id, None)
    return len(due)
