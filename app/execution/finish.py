"""The end of an attempt: the run's row, then the approval, callback, job or cached answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.models.answer_cache import customer_sha256
from app.connectors.errors import ConnectorError
from app.db.core.availability import DATABASE_ERRORS, is_unavailable
from app.db.core.compiled import Executor
from app.db.core.connections import Sessions
from app.db.effects import approvals, ledger
from app.db.knowledge.answer_cache import kept
from app.db.runs import queries as run_queries
from app.db.runs import transitions
from app.db.runs.model_calls import count_spend
from app.db.runs.steps import close_open_steps
from app.db.runs.transitions import Beside, Ending
from app.db.tables.runs import Run
from app.db.tenants.queries import policy_at
from app.execution.run_error import unknown_outcome, workers_lost
from app.execution.wiring import Service, caller_of, ports_of_run
from app.lifecycle import FINAL, RunStatus
from app.observability import metrics
from app.services.approvals.open_approval import open_approval
from app.services.runs.start_and_cancel import Enqueue
from app.services.webhooks import outbox
from graphs.policy import Policy
from graphs.reply.question_key import question_sha256
from graphs.reply.reusable_answer import reusable
from tools.catalog import EFFECTS
from tools.effect import Effect
from tools.errors import ToolError
from tools.models import JsonObject
from tools.ports import Ports


async def finish(sessions: Sessions, enqueue: Enqueue, run: Run, ending: Ending) -> bool:
    """End this attempt; see `settle`. Most runs end by one statement, without a session."""
    if _is_plain(run, ending):
        async with sessions.raw_connection() as connection:
            answer = await _kept_answer(connection, run, ending)
            own = (connection, run.id, run.attempt, ending)
            if await transitions.settle(*own, alone=True, beside=answer):
                return True
    async with sessions.begin() as session:
        return await settle(session, enqueue, run, ending)


def _is_plain(run: Run, ending: Ending) -> bool:
    """Whether nothing but the run's row and a kept answer changes when it ends like this."""
    ended_at_once = ending.status is RunStatus.SUCCESS and run.attempt == 1
    return ended_at_once and run.callback_url is None


async def settle(session: AsyncSession, enqueue: Enqueue, run: Run, ending: Ending) -> bool:
    """End this attempt in one transaction, with all that its end brings about.

    False when another attempt holds the run; then nothing is changed.
    """
    ending = await _unless_cancelled(session, run, ending)
    status = ending.status
    answer = await _kept_answer(session, run, ending)
    if not await transitions.settle(session, run.id, run.attempt, ending, beside=answer):
        return False
    if run.attempt > 1 or status not in (RunStatus.SUCCESS, RunStatus.INTERRUPTED):
        await close_open_steps(session, run.id, run.attempt)
        await count_spend(session, [run.id])
    if status is RunStatus.INTERRUPTED and ending.interrupt_id and ending.question:
        triage = (ending.result or {}).get("triage")
        await open_approval(session, run, ending.interrupt_id, ending.question, triage)
    if status is RunStatus.PENDING:
        await enqueue(session, run.id, ending.not_before)
    if status in FINAL:
        if run.attempt > 1:
            # Only a run that paused and was claimed again can have an approval.
            await approvals.cancel_open(session, run.id)
        await outbox.note_finished(session, run, status, ending.outcome)
    return True


async def _unless_cancelled(session: AsyncSession, run: Run, ending: Ending) -> Ending:
    """The ending, or `cancelled` if a cancel was accepted while the attempt was about to pause."""
    if ending.status in FINAL:
        return ending
    now = await run_queries.get_run(session, run.tenant_id, run.id, lock=True)
    if now is None or now.cancel_requested_at is None:
        return ending
    if ending.status is RunStatus.PENDING and await ledger.started_of_run(
        session, run.tenant_id, run.id
    ):
        # The next claim reconciles what a lost worker had begun, and ends the run then.
        return ending
    return replace(ending, status=RunStatus.CANCELLED)


async def bring_back(session: AsyncSession, enqueue: Enqueue, run: Run, max_losses: int) -> None:
    """Queue a dead worker's run again, or end it as `error` when it has cost too many workers."""
    losses = run.losses + 1
    ending = Ending(RunStatus.PENDING, losses=losses)
    if losses >= max_losses:
        ending = Ending(RunStatus.ERROR, losses=losses, error=workers_lost(losses))
    if await settle(session, enqueue, run, ending):
        metrics.run_rescued(ending)


async def reconcile_cancelled(service: Service, run: Run) -> Ending:
    """The ending of a cancelled run, once the outcome of every call that it began is looked up.

    No call is made again. The error names the calls whose outcome cannot be found; they stay
    `started`. While the database is unavailable the run goes back to the queue.
    """
    try:
        unknown = await _look_up_begun(service, run)
    except DATABASE_ERRORS as error:
        if not is_unavailable(error):
            raise
        return Ending(RunStatus.PENDING)
    return Ending(RunStatus.CANCELLED, error=unknown_outcome(unknown) if unknown else None)


async def _look_up_begun(service: Service, run: Run) -> list[str]:
    """Finish the ledger's rows of calls whose outcome can be found; the keys of the others."""
    async with service.sessions() as session:
        begun = await ledger.started_of_run(session, run.tenant_id, run.id)
    if not begun:
        return []
    ports = await ports_of_run(service, caller_of(run))
    unknown = []
    for entry in begun:
        effect = EFFECTS.get(entry.tool)
        try:
            result = await _found(effect, ports, entry.key, entry.args) if effect else None
        except (ToolError, ConnectorError):
            result = None
        if result is None:
            unknown.append(entry.key)
        else:
            await ports.ledger.finish(entry.key, result)
    return unknown


async def _found(effect: Effect[Any], ports: Ports, key: str, args: JsonObject) -> Any | None:
    """What the outside system knows of a call; of one whose arguments fit no more, nothing."""
    try:
        parsed = effect.args.model_validate(args)
    except ValidationError:
        return None
    return await effect.look_up(parsed, ports, key)


async def _kept_answer(executor: Executor, run: Run, ending: Ending) -> Beside | None:
    """The run's reply for others who ask the same, if it is one for them.

    It names the version of the knowledge base that was read before the search, so the answer is
    not found again once an article has changed.
    """
    state = ending.reusable
    if state is None or (kb_version := state.get("kb_version")) is None:
        return None
    email = run.ticket["customer"].get("email") or ""
    answer = reusable(state, email, [run.customer_id, run.ticket_id])
    policy = Policy.model_validate(await policy_at(executor, run.tenant_id, run.policy_version))
    if answer is None or not policy.answer_cache_seconds:
        return None
    return kept(
        customer_sha256(run.tenant_id, run.customer_id),
        timedelta(seconds=policy.answer_cache_seconds),
        question_sha256=question_sha256(state["ticket"]),
        language=state["ticket"]["language"] or "",
        kb_version=kb_version,
        answer=answer,
    )
