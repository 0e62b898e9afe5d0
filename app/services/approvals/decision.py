"""What an answer to an approval comes to: pure functions over what others answered before."""

from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal, get_args
from uuid import UUID

from app.db.tables.approvals_and_ledger import Approval, Decision
from app.db.tables.tenants import ApiKey
from app.errors import (
    AlreadyDecidedError,
    EditNotAllowedError,
    SecondApproverError,
    VerdictNotAllowedError,
)
from app.lifecycle import ApprovalStatus
from app.services.approvals.edit import StepEdit, apply_edits, changes_made
from app.services.approvals.open_approval import digest_of

Verdict = Literal["approve", "edit", "reject", "respond"]

VERDICTS = get_args(Verdict)
AGREEING = ("approve", "edit")
STATUS_OF = {
    "approve": ApprovalStatus.APPROVED,
    "edit": ApprovalStatus.EDITED,
    "reject": ApprovalStatus.REJECTED,
    "respond": ApprovalStatus.RESPONDED,
}


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """A checked request to decide."""

    approval_id: UUID
    digest: str
    verdict: Verdict
    edits: tuple[StepEdit, ...]
    comment: str


def decided_steps(approval: Approval, answer: GivenAnswer) -> list[dict[str, Any]]:
    """The steps as the reviewer leaves them; none when they reject or respond.

    Raises:
        VerdictNotAllowedError, EditNotAllowedError.
    """
    if answer.verdict not in approval.verdicts:
        offered = ", ".join(approval.verdicts)
        raise VerdictNotAllowedError(f"This approval offers: {offered}.")
    if answer.edits and answer.verdict != "edit":
        raise EditNotAllowedError("Only the verdict `edit` may change steps.")
    if answer.verdict not in AGREEING:
        return []
    return apply_edits(approval.steps, answer.edits)


def standing(decisions: list[Decision], plan: str) -> list[Decision]:
    """The newest decisions, if they agree to the plan of that digest: an edit ends older ones."""
    newest_first = takewhile(lambda decision: decision.digest == plan, reversed(decisions))
    return list(newest_first)[::-1]


def refuse_repeat(
    approval: Approval, earlier: list[Decision], key_id: str, answer: GivenAnswer
) -> None:
    """Nobody is both approvers. The same click twice is told what the first one said.

    Raises:
        AlreadyDecidedError, SecondApproverError.
    """
    agreed = [d for d in standing(earlier, approval.digest) if d.key_id == key_id]
    if not agreed or answer.verdict not in AGREEING:
        return
    own = agreed[-1]
    if (own.verdict, own.shown_digest) == (answer.verdict, answer.digest):
        detail = "This key agreed already; somebody else must agree as well."
        raise AlreadyDecidedError(detail, decision=decision_summary(own))
    if answer.digest == approval.digest:
        raise SecondApproverError("This key agreed already; another key must decide as well.")


def decision_summary(decision: Decision) -> dict[str, str]:
    """One person's answer, for the body of a refusal."""
    return {
        "verdict": decision.verdict,
        "decided_by": signature(decision),
        "comment": decision.comment,
    }


def signature(decision: Decision) -> str:
    """Who decided: the key's name, which need not be unique, and its id, which is."""
    return f"{decision.decided_by} ({decision.key_id})"


def new_decision(
    approver: ApiKey, approval: Approval, answer: GivenAnswer, steps: list[dict[str, Any]]
) -> Decision:
    """The row of this answer; its digest is that of the plan as this person leaves it."""
    left = approval.digest
    if answer.verdict in AGREEING and steps != approval.steps:
        left = digest_of(approval, **as_edited(approval, approver.name, steps))
    return Decision(
        approval_id=approval.id,
        number=approval.answers + 1,
        key_id=approver.id,
        tenant_id=approver.tenant_id,
        decided_by=approver.name,
        verdict=answer.verdict,
        comment=answer.comment,
        shown_digest=approval.digest,
        digest=left,
    )


def as_edited(approval: Approval, name: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """What the approval shows the next person after that person's edit.

    `changed` has what was new before and what this edit changed.
    """
    return {
        "steps": steps,
        "changed": [*approval.changed, *changes_made(name, approval.steps, steps)],
        # After an edit of a plan that no longer fitted, a plain yes is possible again.
        "verdicts": sorted({"approve", *approval.verdicts}, key=VERDICTS.index),
    }


def resolve(
    approval: Approval, decisions: list[Decision], steps: list[dict[str, Any]], messages: list[str]
) -> dict[str, Any]:
    """What the newest decision makes of the approval: its changed columns.

    With `decision` among them it is closed. Else somebody else must agree as well, to the plan
    as it is now, which an edit may just have changed.
    """
    newest = decisions[-1]
    verdict, agreeing = newest.verdict, [newest]
    if verdict in AGREEING:
        agreeing = standing(decisions, newest.digest)
        if len({decision.key_id for decision in agreeing}) < approval.required_approvers:
            if newest.digest == approval.digest:
                return {}
            shown = as_edited(approval, newest.decided_by, steps)
            return {**shown, "digest": newest.digest}
        verdict = "edit" if any(d.verdict == "edit" for d in decisions) else "approve"
    decision = {
        "approval_id": str(approval.id),
        "verdict": verdict,
        "steps": steps,
        "comment": "\n".join(d.comment for d in agreeing if d.comment),
        "decided_by": ", ".join(signature(d) for d in agreeing),
        "messages": messages,
    }
    return {"status": STATUS_OF[verdict], "decision": decision}
