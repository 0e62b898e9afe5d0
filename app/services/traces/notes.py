"""What a note says, read when it is sent: so an erased comment or a later answer is not sent."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.runs import trace_notes
from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.conversations import Feedback
from app.db.tables.runs import Run
from app.db.tables.traces import TraceNote
from app.db.tenants.queries import policy_at
from app.lifecycle import ApprovalStatus
from app.observability.redaction import Redactor
from graphs.policy import Policy

JsonObject = dict[str, Any]
# Waits after each failed try; after the last of them a note is given up. A day in all, since
# LangSmith takes feedback on traces of weeks ago, and no person waits for it.
WAITS_SECONDS = (5, 60, 600, 3600, 21_600, 57_600)
AGREED = (ApprovalStatus.APPROVED, ApprovalStatus.EDITED)
# The worst and the best rating of each scale, which become 0 and 1.
ENDS = {"stars": (1, 5), "thumbs": (-1, 1)}


async def content_of(session: AsyncSession, note: TraceNote) -> JsonObject | None:
    """The feedback of a note, as LangSmith takes it but for the project; None when it is about
    nothing any more."""
    run = await session.get_one(Run, note.run_id)
    said = await _said(session, note)
    if said is None:
        return None
    policy = Policy.model_validate(await policy_at(session, run.tenant_id, run.policy_version))
    customer = run.ticket.get("customer") or {}
    names = filter(None, (customer.get("name"), customer.get("email")))
    redactor = Redactor(policy.trace_content, names)
    texts = ("comment", "correction")
    kept = {
        name: redactor.redact(value) if name in texts else value
        for name, value in said.items()
        if not (name in texts and (policy.trace_content == "none" or not value))
    }
    source = {"ticket_id": run.ticket_id, "run_id": str(run.id), **kept.pop("source", {})}
    return {
        "id": str(note.id),
        "run_id": str(note.trace_id),
        "key": note.key,
        "feedback_source": {"type": "api", "metadata": redactor.redact(source)},
        **kept,
    }


async def _said(session: AsyncSession, note: TraceNote) -> JsonObject | None:
    match note.key:
        case "approval":
            return _of_approval(await _row(session, Approval, note))
        case "csat":
            return _of_rating(await _row(session, Feedback, note))
        case _:
            # Of earlier releases; a trace brings its other scores itself.
            return None


async def _row(session: AsyncSession, table: Any, note: TraceNote) -> Any:
    row = await session.get(table, note.subject_id)
    return row if row is not None and row.tenant_id == note.tenant_id else None


def _of_approval(approval: Approval | None) -> JsonObject | None:
    if approval is None or approval.decision is None:
        return None
    edited = approval.status is ApprovalStatus.EDITED
    return {
        "score": float(approval.status in AGREED),
        "value": str(approval.status),
        "comment": approval.decision.get("comment"),
        "correction": {"steps": approval.decision.get("steps")} if edited else None,
        "source": {"approval_id": str(approval.id)},
    }


def _of_rating(rating: Feedback | None) -> JsonObject | None:
    if rating is None:
        return None
    worst, best = ENDS[rating.scale]
    return {
        "score": (rating.score - worst) / (best - worst),
        "value": f"{rating.score} {rating.scale}",
        "comment": rating.comment,
        "source": {"feedback_id": str(rating.id)},
    }


async def conclude(session: AsyncSession, note: TraceNote, error: str | None) -> str | None:
    """Write down how a claimed attempt ended; the new status, or None when it was overtaken."""
    values: JsonObject = {"last_error": error}
    if error is None:
        values |= {"status": "sent"}
    elif note.tries > len(WAITS_SECONDS):
        values |= {"status": "dead"}
    else:
        wait = timedelta(seconds=WAITS_SECONDS[note.tries - 1])
        values |= {"next_at": func.now() + wait}
    if not await trace_notes.conclude(session, note, **values):
        return None
    return str(values.get("status", "pending"))
