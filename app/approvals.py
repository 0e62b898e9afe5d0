"""Use cases of an approval: decide it once, or let it expire. They never commit."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app import runs as run_cases
from app.db import approvals, runs
from app.db.tables import ApiKey, Approval, Decision, Run
from app.errors import (
    AlreadyDecidedError,
    ApprovalExpiredError,
    EditNotAllowedError,
    NotFoundError,
    NotWaitingError,
    OverLimitError,
    OwnRunError,
    StaleDigestError,
    VerdictNotAllowedError,
)
from app.lifecycle import ApprovalStatus
from app.runs import Enqueue
from tools.billing import RefundArgs
from tools.money import format_money

Verdict = Literal["approve", "edit", "reject", "respond"]

STATUS_OF = {
    "approve": ApprovalStatus.APPROVED,
    "edit": ApprovalStatus.EDITED,
    "reject": ApprovalStatus.REJECTED,
    "respond": ApprovalStatus.RESPONDED,
}
EXPIRED = {"verdict": "expire", "steps": [], "comment": "", "decided_by": "", "approval_id": ""}


@dataclass(frozen=True, slots=True)
class StepEdit:
    """What a reviewer changes on one step: some arguments, or its place in the plan."""

    id: str
    args: dict[str, Any]
    drop: bool


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


def apply_edits(steps: list[dict[str, Any]], edits: tuple[StepEdit, ...]) -> list[dict[str, Any]]:
    """Lower amounts and drop steps; anything else is refused with a pointer to it."""
    changes = {edit.id: (at, edit) for at, edit in enumerate(edits)}
    known = {step["id"] for step in steps}
    for at, edit in enumerate(edits):
        if edit.id not in known or changes[edit.id][0] != at:
            raise _refuse(at, "id", "is no step of this plan, or stands here twice")
    left = []
    for step in steps:
        at, edit = changes.get(step["id"], (0, StepEdit(step["id"], {}, drop=False)))
        if edit.drop and edit.args:
            raise _refuse(at, "args", "may not be changed on a step that is dropped")
        if not edit.drop:
            left.append({**step, "args": edited_args(step, edit, at)})
    if not left:
        raise EditNotAllowedError("Every step is dropped; answer `reject` instead.")
    return left


def edited_args(step: dict[str, Any], edit: StepEdit, at: int) -> dict[str, Any]:
    """The step's arguments after an edit: only editable ones, amounts only downwards."""
    for name in edit.args:
        if name not in step["editable"]:
            escaped = name.replace("~", "~0").replace("/", "~1")
            raise _refuse(at, f"args/{escaped}", f"may not be changed; {step['editable']} may")
    args = {**step["args"], **edit.args}
    try:
        RefundArgs.model_validate(args)
    except ValidationError as error:
        raise _refuse(at, "args", error.errors()[0]["msg"]) from error
    if args["amount_minor"] > step["args"]["amount_minor"]:
        raise _refuse(at, "args/amount_minor", "may only be lowered")
    return args


def _refuse(at: int, where: str, why: str) -> EditNotAllowedError:
    pointer = f"/steps/{at}/{where}"[:300]
    return EditNotAllowedError(f"{pointer} {why}.", errors=[{"pointer": pointer, "detail": why}])


def refuse_over_limit(approver: ApiKey, steps: list[dict[str, Any]]) -> None:
    """Hold the plan's sum against the limits of the approver's key, currency by currency."""
    if approver.approve_limits is None:
        return
    sums: dict[str, int] = {}
    for step in steps:
        if (currency := step["args"].get("currency")) is not None:
            sums[currency] = sums.get(currency, 0) + step["args"]["amount_minor"]
    for currency, total in sums.items():
        limit = approver.approve_limits.get(currency, 0)
        if total > limit:
            raise OverLimitError(
                f"The plan moves {format_money(total, currency)}; this key may approve "
                f"{format_money(limit, currency)}."
            )


async def expire(session: AsyncSession, enqueue: Enqueue, limit: int) -> int:
    """Answer overdue approvals with `expire` and let their runs go on; how many there were."""
    due = await approvals.overdue_approvals(session, limit)
    for approval in due:
        # The run first, as everywhere, so that no two transactions wait for each other.
        await runs.get_run(session, approval.tenant_id, approval.run_id, lock=True)
        if await approvals.expire(session, approval.id, EXPIRED):
            await reopen(session, enqueue, approval.run_id)
    return len(due)
