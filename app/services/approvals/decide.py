"""Use case of an open approval: a person decides it, once. It never commits."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.effects import approvals
from app.db.knowledge.answer_cache import drop_answers
from app.db.runs import trace_notes, transitions
from app.db.tables.approvals_and_ledger import Approval, Decision
from app.db.tables.runs import Run
from app.db.tables.tenants import ApiKey, Holder
from app.db.tenants.queries import holders_of_keys, live_keys
from app.errors import (
    AlreadyDecidedError,
    EditNotAllowedError,
    InvalidRequestError,
    NotFoundError,
    NotWaitingError,
    SecondApproverError,
    StaleDigestError,
    VerdictNotAllowedError,
)
from app.lifecycle import ApprovalStatus
from app.observability import metrics
from app.services.approvals.deciders import (
    check_named,
    decider,
    decision_summary,
    signature,
    spoken,
    spoken_of,
)
from app.services.approvals.edit import (
    StepEdit,
    apply_edits,
    changes_made,
    reassess_edited_steps,
    refuse_over_limit,
)
from app.services.approvals.open_approval import digest_of
from app.services.approvals.people import (
    count_people,
    decider_of,
    holder,
    named,
    same_person,
)
from app.services.approvals.refusals import refuse_closed, refuse_starter
from app.services.runs import start_and_cancel
from app.services.runs.merge_messages import absorb
from app.services.runs.start_and_cancel import Enqueue

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
    release: bool = False
    on_behalf_of: str | None = None


async def resume(
    session: AsyncSession, enqueue: Enqueue, approver: ApiKey, run_id: UUID, answer: GivenAnswer
) -> Run:
    """Take a person's decision, once; queue the run unless a second approver must agree.

    Raises:
        MissingScopeError, NotFoundError, OwnRunError, NotWaitingError, AlreadyDecidedError,
        ApprovalExpiredError, SecondApproverError, StaleDigestError, VerdictNotAllowedError,
        EditNotAllowedError, OverLimitError, InvalidRequestError.
    """
    check_named(approver, answer.on_behalf_of)
    person = named(answer.on_behalf_of) if answer.on_behalf_of else holder(approver)
    people = [holder(approver), person]
    # The run's row lock makes decisions about the run wait for each other.
    run = await start_and_cancel.get(session, approver.tenant_id, run_id, lock=True)
    approval = await approvals.get_approval(session, approver.tenant_id, answer.approval_id)
    if approval is None or approval.run_id != run.id:
        raise NotFoundError(f"Run {run_id} has no approval {answer.approval_id}.")
    await refuse_starter(session, people, run)
    await refuse_closed(session, approval)
    earlier = (await approvals.decisions_on(session, [approval.id])).get(approval.id, [])
    held = await holders_of_keys(session, {decision.key_id for decision in earlier})
    refuse_repeat(approval, earlier, held, person, answer)
    if answer.digest != approval.digest:
        raise StaleDigestError("Read the approval again; its digest is another one.")
    refuse_release(approval, answer)
    edited = decided_steps(approval, answer)
    steps = await reassess_edited_steps(session, approval.tenant_id, approval.steps, edited)
    refuse_over_limit(approver, steps)
    messages = await absorb_newer_messages(session, people, run, approval, answer)
    own = new_decision(approver, approval, answer, steps)
    live = await live_keys(session, {decision.key_id for decision in earlier})
    counted = {key: held[key] for key in live} | {approver.id: holder(approver)}
    values = resolve(approval, [*earlier, own], counted, steps, messages)
    if answer.release and "decision" in values:
        values["decision"]["release"] = True
    await record_decision(session, approval, own, values)
    if corrected(approval, answer):
        await drop_answers(session, run.tenant_id, [run])
    if "decision" in values:
        # No worker has the run, so its newest trace is the one that asked.
        await trace_notes.note(session, run, "approval", approval.id)
        await reopen(session, enqueue, run.id)
        metrics.approval_decided(approval, values["decision"]["verdict"])
    await session.refresh(run)
    return run


def refuse_repeat(
    approval: Approval,
    earlier: list[Decision],
    held: Mapping[str, Holder],
    person: Holder,
    answer: GivenAnswer,
) -> None:
    """Refuse a second agreement of one person; a repeated request gets their first answer.

    Raises:
        AlreadyDecidedError, SecondApproverError.
    """
    agreed = agreed_by(approval, earlier, held, person)
    if not agreed or answer.verdict not in AGREEING:
        return
    own = agreed[-1]
    if (own.verdict, own.shown_digest) == (answer.verdict, answer.digest):
        detail = "This person agreed already; another one must agree as well."
        raise AlreadyDecidedError(detail, decision=decision_summary(own))
    if answer.digest == approval.digest:
        raise SecondApproverError("This person agreed already; another one must decide as well.")


def agreed_by(
    approval: Approval, earlier: list[Decision], held: Mapping[str, Holder], person: Holder
) -> list[Decision]:
    """The person's agreements to what the approval shows now, oldest first."""
    return [
        d for d in standing(earlier, approval.digest) if same_person(decider_of(d, held), person)
    ]


def refuse_release(approval: Approval, answer: GivenAnswer) -> None:
    """Only a reply that leaves can be for others. Raises InvalidRequestError."""
    if answer.release and not (approval.kind == "reply" and answer.verdict in AGREEING):
        why = "is for a reply that is approved or edited"
        problems = [{"pointer": "/release", "detail": why}]
        raise InvalidRequestError(f"/release {why}.", errors=problems)


def corrected(approval: Approval, answer: GivenAnswer) -> bool:
    """Whether a person changed or refused a reply: the same from the cache is wrong as well."""
    return approval.kind == "reply" and answer.verdict != "approve"


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


async def absorb_newer_messages(
    session: AsyncSession, people: list[Holder], run: Run, approval: Approval, answer: GivenAnswer
) -> list[str]:
    """Merge the customer's newer messages into the run for another plan: texts, oldest first.

    Another draft takes none: it answers what was read and done before, and a message without a
    plan for it would be answered with words alone.

    Raises:
        InvalidRequestError: there is neither guidance nor a message to go on with.
        OwnRunError: the approver sent one of the messages.
    """
    if answer.verdict != "respond":
        return []
    messages = await absorb(session, run) if approval.kind == "plan" else []
    if messages:
        await refuse_starter(session, people, run)
    elif not answer.comment.strip():
        why = "must say what to do differently, since no newer message goes into it"
        problems = [{"pointer": "/comment", "detail": why}]
        raise InvalidRequestError(f"/comment {why}.", errors=problems)
    return messages


def new_decision(
    approver: ApiKey, approval: Approval, answer: GivenAnswer, steps: list[dict[str, Any]]
) -> Decision:
    """The row of this answer; its digest is that of the plan as this person leaves it."""
    left = approval.digest
    if answer.verdict in AGREEING and steps != approval.steps:
        left = digest_of(
            approval, **as_edited(approval, spoken(approver.name, answer.on_behalf_of), steps)
        )
    return Decision(
        approval_id=approval.id,
        number=approval.answers + 1,
        key_id=approver.id,
        tenant_id=approver.tenant_id,
        decided_by=approver.name,
        on_behalf_of=answer.on_behalf_of,
        verdict=answer.verdict,
        comment=answer.comment,
        shown_digest=approval.digest,
        digest=left,
    )


def resolve(
    approval: Approval,
    decisions: list[Decision],
    live: Mapping[str, Holder],
    steps: list[dict[str, Any]],
    messages: list[str],
) -> dict[str, Any]:
    """The approval's columns that the newest decision changes.

    With `decision` among them the approval is closed. Else a second approver must agree to the
    plan as it is now, which an edit may just have changed. Only agreements of `live` keys count.
    """
    newest = decisions[-1]
    verdict, agreeing = newest.verdict, [newest]
    if verdict in AGREEING:
        agreeing = [d for d in standing(decisions, newest.digest) if d.key_id in live]
        if count_people(decider_of(d, live) for d in agreeing) < approval.required_approvers:
            if newest.digest == approval.digest:
                return {}
            shown = as_edited(approval, spoken_of(newest), steps)
            return {**shown, "digest": newest.digest}
        verdict = "edit" if any(d.verdict == "edit" for d in decisions) else "approve"
    decision = {
        "approval_id": str(approval.id),
        "verdict": verdict,
        "steps": steps,
        "comment": "\n".join(d.comment for d in agreeing if d.comment),
        "decided_by": ", ".join(signature(d) for d in agreeing),
        "deciders": [decider(d) for d in agreeing],
        "messages": messages,
    }
    return {"status": STATUS_OF[verdict], "decision": decision}


def standing(decisions: list[Decision], plan: str) -> list[Decision]:
    """The newest decisions, if they agree to the plan of that digest: an edit ends older ones."""
    newest_first = takewhile(lambda decision: decision.digest == plan, reversed(decisions))
    return list(newest_first)[::-1]


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


async def record_decision(
    session: AsyncSession, approval: Approval, own: Decision, values: dict[str, Any]
) -> None:
    """Store the answer and what it changes, by compare-and-set.

    Raises:
        ApprovalExpiredError, StaleDigestError: time or another approver was faster.
    """
    if not await approvals.record_decision(session, approval, **values):
        await session.refresh(approval)
        await refuse_closed(session, approval)
        raise StaleDigestError("Read the approval again; another answer was just given.")
    session.add(own)


async def reopen(session: AsyncSession, enqueue: Enqueue, run_id: UUID) -> None:
    """Let the run go on with the answer. Raises NotWaitingError when it stopped waiting."""
    if not await transitions.reopen(session, run_id):
        raise NotWaitingError(f"Run {run_id} is not waiting any more.")
    await enqueue(session, run_id, None)
