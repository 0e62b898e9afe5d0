"""Use cases of a run: start, cancel. They guard, change rows, enqueue; the caller commits."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.core.compiled import Executor, atomic
from app.db.effects import approvals
from app.db.runs import queries as run_queries
from app.db.runs import transitions
from app.db.runs.insert import insert_run
from app.db.tables.runs import Run
from app.db.tenants import queries as tenant_queries
from app.db.tenants import rate_limit
from app.db.tenants.rate_limit import Slot
from app.errors import IdempotencyMismatchError, NotFoundError, RunFinishedError
from app.lifecycle import RunStatus
from app.services.webhooks import outbox
from graphs.policy_limits import Rates

# Puts a run on the queue inside the executor's transaction, now or at a time.
Enqueue = Callable[[Executor, UUID, datetime | None], Awaitable[None]]

THREADS = UUID("6f1d1c52-8c0b-4a55-9f0e-3f5f0a3a7a51")


@dataclass(frozen=True, slots=True)
class NewRun:
    """A checked request to start a run."""

    ticket: dict[str, Any]
    idempotency_key: str | None
    metadata: dict[str, Any]
    callback_url: str | None = None
    # The caller's run in LangSmith; no part of what is asked for.
    trace_parent: str | None = None

    @property
    def customer_id(self) -> str:
        """Who wrote it."""
        customer_id: str = self.ticket["customer"]["id"]
        return customer_id

    @property
    def sha256(self) -> bytes:
        """Digest of what the caller asked for, to tell a repeat from another request."""
        asked: list[Any] = [self.ticket, self.metadata]
        # Left out when they are not there, so that repeats of older requests are still known.
        asked += [self.callback_url] if self.callback_url else []
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()


def thread_of(tenant_id: str, ticket_id: str) -> UUID:
    """One thread per tenant and ticket; opaque, so no trace reveals the ticket's id."""
    return uuid5(THREADS, f"{tenant_id}\x1f{ticket_id}")


async def start(executor: Executor, tenant_id: str, key_id: str, new: NewRun) -> Run:
    """Store the message and the run, and queue it; the same Idempotency-Key answers the same run.

    Over the rate the run waits until its `not_before`. A repeat spends nothing.

    Raises:
        IdempotencyMismatchError: the key was used with another body.
    """
    version, policy = await tenant_queries.current_policy(executor, tenant_id)
    limits = Rates.model_validate(policy.get("rates", {}))
    # One statement needs no transaction; a tenant's own rate is another one before it.
    async with atomic(executor) if limits.tenant_per_minute else nullcontext():
        slot = await rate_limit.take_of_tenant(executor, tenant_id, limits)
        run, spent = await _insert(executor, tenant_id, key_id, version, new, limits, slot)
        if run is None:
            customer_id = new.customer_id if spent else None
            await rate_limit.give_back(executor, tenant_id, limits, customer_id)
            return await repeated(executor, tenant_id, new.idempotency_key, new.sha256)
    return run


async def _insert(
    executor: Executor,
    tenant_id: str,
    key_id: str,
    version: int,
    new: NewRun,
    limits: Rates,
    slot: Slot | None,
) -> tuple[Run | None, bool]:
    ticket_id = new.ticket["id"]
    return await insert_run(
        executor,
        limits,
        slot,
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
        metadata=new.metadata,
        callback_url=new.callback_url,
        trace_parent=new.trace_parent,
        body=new.ticket["body"],
    )


async def get(session: AsyncSession, tenant_id: str, run_id: UUID, *, lock: bool = False) -> Run:
    """The tenant's run. Raises NotFoundError for any other."""
    return found(await run_queries.get_run(session, tenant_id, run_id, lock=lock), run_id)


def found(run: Run | None, run_id: UUID) -> Run:
    """The run. Raises NotFoundError when there is none."""
    if run is None:
        raise NotFoundError(f"There is no run {run_id}.")
    return run


async def cancel(session: AsyncSession, enqueue: Enqueue, tenant_id: str, run_id: UUID) -> Run:
    """Stop a run: at once when it waits; else no further effect begins and its worker stops it.

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
    if await transitions.cancel_waiting(session, run_id):
        await approvals.cancel_open(session, run_id)
        await outbox.note_finished(session, run, RunStatus.CANCELLED)
        await queue_next(session, enqueue, run)
    elif not await transitions.request_cancel(session, run_id):
        await session.refresh(run)
        if run.status is not RunStatus.CANCELLED:
            raise RunFinishedError(f"Run {run_id} ended as {run.status}.", run_status=run.status)
    await session.refresh(run)
    return run


async def queue_next(session: AsyncSession, enqueue: Enqueue, ended: Run) -> None:
    """Start the next waiting run of the thread, if it waited for the one that just ended."""
    following = await run_queries.next_in_thread(session, ended.thread_id)
    # An older one did not wait for one that never began. To touch it would be a deadlock with a
    # cancel of it, which waits for what comes after it.
    if following is not None and (ended.started_at or following.seq > ended.seq):
        await enqueue(session, following.id, following.not_before)


async def repeated(
    executor: Executor, tenant_id: str, idempotency_key: str | None, sha256: bytes
) -> Run:
    """The run that holds the key, which was just found taken. Raises IdempotencyMismatchError."""
    assert idempotency_key is not None, "only an Idempotency-Key can be taken"
    first = await run_queries.find_by_idempotency_key(executor, tenant_id, idempotency_key)
    assert first is not None, "the row that was in the way is there"
    return same_request(first, sha256)


def same_request(first: Run, sha256: bytes) -> Run:
    """The run, if that request started it. Raises IdempotencyMismatchError."""
    if first.request_sha256 != sha256:
        raise IdempotencyMismatchError(
            "This Idempotency-Key started another request; use a new key for a new request."
        )
    return first
