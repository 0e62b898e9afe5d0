"""Queries on notes for traces: written with the change they are about, claimed by one worker."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.claims import change_claimed, claim_due
from app.db.tables.runs import Run
from app.db.tables.traces import TraceNote

Key = Literal["approval", "csat", "lost"]


async def note(session: AsyncSession, run: Run, key: Key, subject_id: UUID | None = None) -> None:
    """Note something on the trace of the run's newest execution; nothing if it has none.

    A later note of that key on that trace replaces the earlier one.
    """
    if not run.traced or run.trace_id is None:
        return
    new = insert(TraceNote).values(
        id=uuid5(run.trace_id, key),
        tenant_id=run.tenant_id,
        run_id=run.id,
        trace_id=run.trace_id,
        key=key,
        subject_id=subject_id,
    )
    again = {"subject_id": subject_id, "status": "pending", "tries": 0, "next_at": func.now()}
    await session.execute(new.on_conflict_do_update(index_elements=["id"], set_=again))


async def claim(
    session: AsyncSession, lease: timedelta, limit: int, busy: Collection[str]
) -> list[TraceNote]:
    """Claim notes that are due, of tenants that are not `busy`."""
    return await claim_due(
        session,
        TraceNote,
        TraceNote.status == "pending",
        TraceNote.tenant_id.not_in(busy),
        lease=lease,
        limit=limit,
        tries=TraceNote.tries + 1,
    )


async def conclude(session: AsyncSession, claimed: TraceNote, **values: Any) -> bool:
    """End the claimed attempt; False when a later note of that key came first."""
    return await change_claimed(session, claimed, "pending", **values)
