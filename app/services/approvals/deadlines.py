"""Use cases of an approval that waits: remind of it, let it expire. They never commit."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.effects import approvals
from app.db.effects.reminders import mark_reminded
from app.db.runs import queries as run_queries
from app.db.runs import transitions
from app.log import get_logger
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


async def remind(session: AsyncSession, limit: int) -> None:
    """Send one reminder for each open approval whose last quarter has begun."""
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
        # Every transaction locks the run before its approval, so no two can deadlock.
        run = await run_queries.get_run(session, approval.tenant_id, approval.run_id, lock=True)
        expired = await approvals.expire(session, approval.id, EXPIRED)
        if expired and run and await transitions.reopen(session, run.id):
            await outbox.note_approval(session, run, approval, "expired")
            await enqueue(session, approval.run_id, None)
    return len(due)
