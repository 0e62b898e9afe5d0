"""Use case: replay a run from one of its steps. It guards, adds a row, enqueues; never commits."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.conversations.history import hold_off_erasure
from app.db.knowledge.answer_cache import drop_answers
from app.db.runs import queries as run_queries
from app.db.runs.steps import checkpoint_of_run
from app.db.tables.runs import Run
from app.db.tenants import queries as tenant_queries
from app.errors import (
    CheckpointGoneError,
    InvalidRequestError,
    RunNotFinishedError,
)
from app.lifecycle import FINAL
from app.log import get_logger
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import Enqueue

log = get_logger(__name__)

# How many runs a chain of replays may have before the newest one. An approver must have started
# none of them, so every decision reads the whole chain.
MAX_REPLAYED = 100


@dataclass(frozen=True, slots=True)
class NewReplay:
    """A checked request to replay a run; `state` holds what is replaced in its state."""

    run_id: UUID
    checkpoint_id: str
    state: dict[str, Any]
    dry_run: bool
    idempotency_key: str | None

    @property
    def sha256(self) -> bytes:
        """Digest of what the caller asked for, to tell a repeat from another request."""
        asked = ["replay", str(self.run_id), self.checkpoint_id, self.state, self.dry_run]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()


async def replay(
    session: AsyncSession, enqueue: Enqueue, tenant_id: str, key_id: str, new: NewReplay
) -> Run:
    """Add a run that begins where a step of another one began, on a thread of its own.

    Neither rate nor merging holds it: no customer wrote anything. It is held to the policy of now.

    Raises:
        NotFoundError, RunNotFinishedError, IdempotencyMismatchError.
        InvalidRequestError: no step of the run began with that checkpoint, or the run is itself
            the last of too many replays.
        CheckpointGoneError: it did, and the checkpoint was pruned since.
    """
    first = await start_and_cancel.get(session, tenant_id, new.run_id)
    # What is copied below must not be what an erasure of this instant removes.
    await hold_off_erasure(session, tenant_id, first.customer_id)
    await session.refresh(first)
    if new.idempotency_key is not None:
        known = await run_queries.find_by_idempotency_key(session, tenant_id, new.idempotency_key)
        if known is not None:
            return start_and_cancel.same_request(known, new.sha256)
    if first.status not in FINAL and not new.dry_run:
        raise RunNotFinishedError(
            f"Run {first.id} is {first.status}; wait for its end, or replay it with `dry_run`.",
            run_status=first.status,
        )
    await _refuse_long_chain(session, first)
    await _refuse_unknown(session, first, new.checkpoint_id)
    version, _ = await tenant_queries.current_policy(session, tenant_id)
    await _note_correction(session, first, new)
    run = await _insert(session, key_id, version, first, new)
    if run is None:
        return await start_and_cancel.repeated(session, tenant_id, new.idempotency_key, new.sha256)
    await enqueue(session, run.id, None)
    return run


def real_key(rehearsal_id: UUID) -> str:
    """The Idempotency-Key under which a rehearsal is done for real, so that it is once."""
    return f"console rehearsal {rehearsal_id}"


async def for_real(
    session: AsyncSession, enqueue: Enqueue, tenant_id: str, key_id: str, rehearsal: Run
) -> Run:
    """Replay the rehearsed run for real, from the same step with the same changes, at most once.

    Raises:
        InvalidRequestError: the run is no rehearsal, or no longer says of what.
        RunNotFinishedError: the rehearsal, or what it rehearsed, still advances.
        NotFoundError, CheckpointGoneError: as `replay`.
    """
    begin = rehearsal.replay_from
    if not rehearsal.dry_run or rehearsal.replay_of is None or begin is None:
        raise InvalidRequestError("Only a rehearsal can be done for real.")
    if rehearsal.status not in FINAL:
        raise RunNotFinishedError(
            "The rehearsal is not finished. Wait for its end, and read what it would do.",
            run_status=rehearsal.status,
        )
    new = NewReplay(
        rehearsal.replay_of, begin["checkpoint_id"], begin["state"], dry_run=False,
        idempotency_key=real_key(rehearsal.id),
    )  # fmt: skip
    return await replay(session, enqueue, tenant_id, key_id, new)


async def _refuse_unknown(session: AsyncSession, run: Run, checkpoint_id: str) -> None:
    kept = await checkpoint_of_run(session, run, checkpoint_id)
    if kept is None:
        raise _invalid("must be the checkpoint_id of one of the run's steps")
    if not kept:
        raise CheckpointGoneError("The checkpoint is older than the tenant's retention.")


async def _note_correction(session: AsyncSession, first: Run, new: NewReplay) -> None:
    """What follows when a person gives a ticket other intents than it had.

    No other customer gets the answer that is kept for its question, and the log says when it was
    the tenant's trained model that chose them.
    """
    triage = first.result.get("triage") or {}
    corrected = (new.state.get("triage") or {}).get("intents")
    if new.dry_run or not corrected:
        return
    if corrected != triage.get("intents"):
        await drop_answers(session, first.tenant_id, [first])
    trained = triage.get("trained")
    if trained and corrected != [trained["intent"]]:
        log.warning(
            "trained_triage_corrected",
            tenant_id=first.tenant_id,
            run_id=str(first.id),
            version=trained["version"],
        )


async def _refuse_long_chain(session: AsyncSession, run: Run) -> None:
    if len(await run_queries.replayed(session, run)) >= MAX_REPLAYED:
        raise _invalid(f"must be of a run with less than {MAX_REPLAYED} replays before it")


def _invalid(why: str) -> InvalidRequestError:
    problems = [{"pointer": "/checkpoint_id", "detail": why}]
    return InvalidRequestError(f"/checkpoint_id {why}.", errors=problems)


async def _insert(
    session: AsyncSession, key_id: str, version: int, first: Run, new: NewReplay
) -> Run | None:
    run_id = uuid7()
    row = insert(Run).values(
        id=run_id,
        tenant_id=first.tenant_id,
        # The first run's thread keeps its history; only this run writes to its own.
        thread_id=start_and_cancel.thread_of(first.tenant_id, f"replay\x1f{run_id}"),
        ticket_id=first.ticket_id,
        customer_id=first.customer_id,
        ticket={**first.ticket, **new.state.get("ticket", {})},
        policy_version=version,
        started_by=key_id,
        idempotency_key=new.idempotency_key,
        request_sha256=new.sha256,
        caller_metadata=first.caller_metadata,
        replay_of=first.id,
        replay_from={"checkpoint_id": new.checkpoint_id, "state": new.state},
        dry_run=new.dry_run,
    )
    return (await session.scalars(row.on_conflict_do_nothing().returning(Run))).one_or_none()
