"""The end of an execution: what it leaves on its run, and what it sets going."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.connections import Sessions
from app.db.effects import approvals, ledger
from app.db.runs import queries as run_queries
from app.db.runs import transitions
from app.db.runs.steps import close_open_steps
from app.db.tables.runs import Run
from app.execution import cache_answer
from app.execution.run_error import workers_lost
from app.lifecycle import FINAL, RunStatus
from app.services.approvals.open_approval import open_approval
from app.services.runs.start_and_cancel import Enqueue
from app.services.webhooks import outbox
from graphs.state import SupportState


@dataclass(frozen=True, slots=True)
class Settlement:
    """What an execution leaves behind on the run's row."""

    status: RunStatus
    values: dict[str, Any]
    gate: dict[str, Any] | None = None
    # The graph's state at a good end, for those who will ask the same.
    final: SupportState | None = None


async def settled(sessions: Sessions, enqueue: Enqueue, run: Run, settlement: Settlement) -> bool:
    """End this attempt; see `settle`. An end that is one statement needs no session for it."""
    if _stands_alone(run, settlement):
        status, values = settlement.status, settlement.values
        async with sessions.raw_connection() as connection:
            return await transitions.settle(connection, run.id, run.attempt, status, **values)
    async with sessions.begin() as session:
        return await settle(session, enqueue, run, settlement)


def _stands_alone(run: Run, settlement: Settlement) -> bool:
    """Whether nothing but the run's row has to know that it ended."""
    ended_at_once = settlement.status is RunStatus.SUCCESS and run.attempt == 1
    return ended_at_once and run.callback_url is None and settlement.final is None


async def settle(session: AsyncSession, enqueue: Enqueue, run: Run, settlement: Settlement) -> bool:
    """End this attempt in one transaction: status, approval, next job. False when it was lost."""
    status = settlement.status
    now = None
    if status not in FINAL:
        now = await run_queries.get_run(session, run.tenant_id, run.id, lock=True)
    if now and now.cancel_requested_at:
        # Answered with 202 while this attempt was on its way to a pause. What a lost worker had
        # begun is looked up first, by whoever claims the run next.
        begun = await ledger.started_of_run(session, run.tenant_id, run.id)
        status = status if begun and status is RunStatus.PENDING else RunStatus.CANCELLED
    if not await transitions.settle(session, run.id, run.attempt, status, **settlement.values):
        return False
    if run.attempt > 1 or status not in (RunStatus.SUCCESS, RunStatus.INTERRUPTED):
        await close_open_steps(session, run.id, run.attempt)
    if settlement.gate and status is RunStatus.INTERRUPTED:
        gate = settlement.gate
        await open_approval(session, run, gate["id"], gate["value"])
    if status is RunStatus.PENDING:
        await transitions.mark_queued(session, run.id)
        await enqueue(session, run.id, settlement.values.get("not_before"))
    if status in FINAL:
        if run.attempt > 1:
            # Only a run that paused and was claimed again can have asked.
            await approvals.cancel_open(session, run.id)
        await outbox.note_finished(session, run, status, settlement.values.get("outcome"))
    if settlement.final and status is RunStatus.SUCCESS:
        await cache_answer.keep(session, run, settlement.final)
    return True


async def bring_back(session: AsyncSession, enqueue: Enqueue, run: Run, max_losses: int) -> None:
    """A dead worker's run waits again, or ends as `error` when it has cost too many workers."""
    losses = run.losses + 1
    settlement = (
        Settlement(RunStatus.PENDING, {"losses": losses})
        if losses < max_losses
        else Settlement(RunStatus.ERROR, {"losses": losses, "error": workers_lost(losses)})
    )
    await settle(session, enqueue, run, settlement)
