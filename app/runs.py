"""Use cases of a run: start, cancel, settle. They guard, change rows, enqueue; never commit."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import answers, callbacks
from app.db import approvals, keys, ledger, rates, runs
from app.db.rates import Slot
from app.db.steps import add_message, close_open_steps
from app.db.tables import Run
from app.errors import IdempotencyMismatchError, NotFoundError, RunFinishedError
from app.lifecycle import FINAL, RunStatus
from graphs.limits import Rates
from graphs.state import SupportState

# Puts "advance this run" on the queue inside the session's transaction, now or at a time.
Enqueue = Callable[[AsyncSession, UUID, datetime | None], Awaitable[None]]

THREADS = UUID("6f1d1c52-8c0b-4a55-9f0e-3f5f0a3a7a51")


@dataclass(frozen=True, slots=True)
class NewRun:
    """A checked request to start a run."""

    ticket: dict[str, Any]
    idempotency_key: str | None
    metadata: dict[str, Any]
    callback_url: str | None = None

    @property
    def customer_id(self) -> str:
        """Who wrote it."""
        customer_id: str = self.ticket["customer"]["id"]
        return customer_id

    @property
    def sha256(self) -> bytes:
        """Digest of what the caller asked for, to tell a repeat from another request."""
        asked: list[Any] = [self.ticket, self.metadata]
        # Left out when it is not there, so that repeats of older requests are still known.
        asked += [self.callback_url] if self.callback_url else []
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()


def thread_of(tenant_id: str, ticket_id: str) -> UUID:
    """One thread per tenant and ticket; opaque, so no trace tells the ticket's id by it."""
    return uuid5(THREADS, f"{tenant_id}\x1f{ticket_id}")


async def start(
    session: AsyncSession, enqueue: Enqueue, tenant_id: str, key_id: str, new: NewRun
) -> Run:
    """Store the message and the run, and queue it; the same Idempotency-Key answers the same run.

    Over the rate the run waits until its `not_before`. A repeat spends nothing.

    Raises:
        IdempotencyMismatchError: the key was used with another body.
    """
    version, policy = await keys.current_policy(session, tenant_id)
    limits, customer_id = Rates.model_validate(policy.get("rates", {})), new.customer_id
    # Before the run, so that the runs of a customer are numbered in the order of their times.
    slot = await rates.take(session, tenant_id, customer_id, limits)
    run = await _insert(session, tenant_id, key_id, version, new, slot)
    if run is None:
        first = await _repeated(session, tenant_id, new)
        await rates.give_back(session, tenant_id, customer_id, limits)
        return first
    await add_message(
        session,
        tenant_id=tenant_id,
        ticket_id=run.ticket_id,
        run_id=run.id,
        author="customer",
        key=f"customer:{run.id}",
        text=new.ticket["body"],
    )
    await enqueue(session, run.id, slot.not_before if slot.limited_by else None)
    return run


async def _insert(
    session: AsyncSession, tenant_id: str, key_id: str, version: int, new: NewRun, slot: Slot
) -> Run | None:
    """The new run, or None when the Idempotency-Key is taken, also by a request of this instant."""
    ticket_id = new.ticket["id"]
    return await runs.insert_run(
        session,
        id=uuid7(),
        tenant_id=tenant_id,
        thread_id=thread_of(tenant_id, ticket_id),
        ticket_id=ticket_id,
        customer_id=new.customer_id,
        ticket=new.ticket,
        policy_version=version,
        started_by=key_id,
        idempotency_key=new.idempotency_key,
        request_sha256=new.sha256,
        caller_metadata=new.metadata,
        callback_url=new.callback_url,
        not_before=slot.not_before,
        limited_by=slot.limited_by,
    )


async def _repeated(session: AsyncSession, tenant_id: str, new: NewRun) -> Run:
    assert new.idempotency_key is not None, "only an Idempotency-Key can be taken"
    first = await runs.find_by_idempotency_key(session, tenant_id, new.idempotency_key)
    assert first is not None, "the row that was in the way is there"
    if first.request_sha256 != new.sha256:
        raise IdempotencyMismatchError(
            "This Idempotency-Key started another request; use a new key for a new request."
        )
    return first


async def get(session: AsyncSession, tenant_id: str, run_id: UUID, *, lock: bool = False) -> Run:
    """The tenant's run. Raises NotFoundError for any other."""
    run = await runs.get_run(session, tenant_id, run_id, lock=lock)
    if run is None:
        raise NotFoundError(f"There is no run {run_id}.")
    return run


async def cancel(session: AsyncSession, enqueue: Enqueue, tenant_id: str, run_id: UUID) -> Run:
    """Stop a run: at once when it waits, else no effect begins and its worker lets go of it.

    Raises:
        NotFoundError, RunFinishedError.
    """
    run = await get(session, tenant_id, run_id, lock=True)
    if run.merged_into is not None:
        raise RunFinishedError(
            f"Run {run_id} was merged into run {run.merged_into}; cancel that one.",
            run_status=run.status,
            merged_into=str(run.merged_into),
        )
    if await runs.cancel_waiting(session, run_id):
        await approvals.cancel_open(session, run_id)
        await callbacks.note_finished(session, run, RunStatus.CANCELLED)
        await queue_next(session, enqueue, run.thread_id)
    elif not await runs.request_cancel(session, run_id):
        await session.refresh(run)
        if run.status is not RunStatus.CANCELLED:
            raise RunFinishedError(f"Run {run_id} ended as {run.status}.", run_status=run.status)
    await session.refresh(run)
    return run


async def queue_next(session: AsyncSession, enqueue: Enqueue, thread_id: UUID) -> None:
    """Start the thread's next waiting run, now that the thread is free."""
    following = await runs.next_in_thread(session, thread_id)
    if following is not None:
        await runs.mark_queued(session, following.id)
        await enqueue(session, following.id, following.not_before)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What an execution leaves behind on the run's row."""

    status: RunStatus
    values: dict[str, Any]
    gate: dict[str, Any] | None = None
    # The graph's state at a good end, for those who will ask the same.
    final: SupportState | None = None


async def settle(session: AsyncSession, enqueue: Enqueue, run: Run, settlement: Settlement) -> bool:
    """End this attempt in one transaction: status, approval, next job. False when it was lost."""
    status = settlement.status
    now = None
    if status not in FINAL:
        now = await runs.get_run(session, run.tenant_id, run.id, lock=True)
    if now and now.cancel_requested_at:
        # Answered with 202 while this attempt was on its way to a pause. What a lost worker had
        # begun is looked up first, by whoever claims the run next.
        begun = await ledger.started_of_run(session, run.tenant_id, run.id)
        status = status if begun and status is RunStatus.PENDING else RunStatus.CANCELLED
    if not await runs.settle(session, run.id, run.attempt, status, **settlement.values):
        return False
    if run.losses or status not in (RunStatus.SUCCESS, RunStatus.INTERRUPTED):
        await close_open_steps(session, run.id, run.attempt)
    if settlement.gate and status is RunStatus.INTERRUPTED:
        await _open_gate(session, run, settlement.gate)
    if status is RunStatus.PENDING:
        await runs.mark_queued(session, run.id)
        await enqueue(session, run.id, settlement.values.get("not_before"))
    if status in FINAL:
        if run.attempt > 1:
            # Only a run that paused and was claimed again can have asked.
            await approvals.cancel_open(session, run.id)
        await callbacks.note_finished(session, run, status, settlement.values.get("outcome"))
    if settlement.final and status is RunStatus.SUCCESS:
        await answers.keep(session, run, settlement.final)
    return True


async def _open_gate(session: AsyncSession, run: Run, gate: dict[str, Any]) -> None:
    shown, approval_id = gate["value"], uuid7()
    opened = await approvals.open_approval(
        session,
        id=approval_id,
        tenant_id=run.tenant_id,
        run_id=run.id,
        ticket_id=run.ticket_id,
        interrupt_id=gate["id"],
        kind=shown["kind"],
        steps=shown["steps"],
        gate=shown["gate"],
        digest=shown["digest"],
        verdicts=shown["verdicts"],
        # A run that paused before these were asked for has the defaults.
        required_approvers=shown.get("required_approvers", 1),
        changed=shown.get("changed", []),
        round=shown.get("round", 0),
        expires_at=func.now() + timedelta(seconds=shown["expires_in_seconds"]),
    )
    if opened:
        await callbacks.note_paused(session, run, approval_id)


def summarize(state: SupportState) -> dict[str, Any]:
    """The part of the graph's state that a caller sees on the run."""
    triage = state.get("triage")
    return {
        "triage": triage,
        "cache_hit": state.get("cache_hit", False),
        "plan": state.get("plan"),
        "tier": state.get("tier"),
        "escalation": state.get("escalation"),
        "handoff": state.get("handoff"),
        "reply": state.get("reply"),
        # What a replay would have said stands here; its `reply` is what the customer was told.
        "draft": state.get("draft"),
    }


async def bring_back(session: AsyncSession, enqueue: Enqueue, run: Run, max_losses: int) -> None:
    """A dead worker's run waits again, or ends as `error` when it has cost too many workers."""
    losses = run.losses + 1
    error = {"type": "workers_lost", "message": f"{losses} workers died while advancing this run."}
    settlement = (
        Settlement(RunStatus.PENDING, {"losses": losses})
        if losses < max_losses
        else Settlement(RunStatus.ERROR, {"losses": losses, "error": error})
    )
    await settle(session, enqueue, run, settlement)
