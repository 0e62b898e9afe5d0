"""Why pending runs wait, and their positions in the queue; one query for a whole page."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, bindparam, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.db.core.base import found_by_key
from app.db.core.compiled import CompiledStatement, Executor
from app.db.runs.scheduling import blocked_by_thread, customer_at_limit
from app.db.tables.runs import Run
from app.db.tenants.pauses import paused
from app.lifecycle import RunStatus

QueuedReason = Literal[
    "paused", "customer_rate", "tenant_rate", "backoff", "thread_busy", "customer_busy",
    "workers_busy",
]  # fmt: skip
# The count stops here, so that a page costs the same however long the queue is.
LAST_PLACE = 1000

Other = aliased(Run)


@dataclass(frozen=True, slots=True)
class Place:
    """Why a pending run waits, and its position, from 1 to 1000, among those that wait alike."""

    reason: QueuedReason
    position: int


async def queue_positions(
    executor: Executor, runs: list[Run], per_customer: int
) -> dict[UUID, Place]:
    """The position of each pending run of a tenant, by run."""
    pending = [run for run in runs if run.status is RunStatus.PENDING]
    if not pending:
        return {}
    tenant_id, ids = pending[0].tenant_id, [run.id for run in pending]
    found = await _select_positions(per_customer).rows(executor, tenant=tenant_id, runs=ids)
    return {run_id: Place(why, place) for run_id, why, place in found}


@cache
def _select_positions(per_customer: int) -> CompiledStatement:
    reason, position = _reason_and_position(per_customer)
    asked = (
        found_by_key(Run.tenant_id) == bindparam("tenant"),
        Run.id == func.any(bindparam("runs", type_=ARRAY(Uuid))),
    )
    return CompiledStatement(select(Run.id, reason, position).where(*asked))


def _reason_and_position(per_customer: int) -> tuple[ColumnElement[Any], ColumnElement[int]]:
    """The first reason that applies, in the order in which a claim checks them."""
    later = Run.not_before > func.now()
    by_time = or_(
        Other.not_before < Run.not_before,
        and_(Other.not_before == Run.not_before, Other.seq < Run.seq),
    )
    by_customer = Other.customer_id == Run.customer_id
    older = Other.seq < Run.seq
    ways: list[tuple[ColumnElement[bool], QueuedReason, ColumnElement[int]]] = [
        (paused(), "paused", _place(by_time)),
        (and_(later, Run.started_at.is_not(None)), "backoff", literal(1)),
        (and_(later, Run.limited_by == "customer"), "customer_rate", _place(by_customer, by_time)),
        (later, "tenant_rate", _place(by_time)),
        (blocked_by_thread(), "thread_busy", _place(Other.thread_id == Run.thread_id, older)),
        (customer_at_limit(per_customer), "customer_busy", _place(by_customer, older, _due())),
    ]
    reasons: list[Any] = [(when, literal(name)) for when, name, _ in ways]
    positions: list[Any] = [(when, place) for when, _, place in ways]
    last = _place(by_time, _due())
    return case(*reasons, else_=literal("workers_busy")), case(*positions, else_=last)


def _due() -> ColumnElement[bool]:
    return Other.not_before <= func.now()


def _place(*before: ColumnElement[bool]) -> ColumnElement[int]:
    """One more than the number of the tenant's pending runs that come before."""
    pending = (Other.tenant_id == Run.tenant_id, Other.status == RunStatus.PENDING)
    first = select(literal(1)).where(*pending, *before).correlate(Run).limit(LAST_PLACE - 1)
    return select(func.count() + 1).select_from(first.subquery()).scalar_subquery()


async def waiting_now(session: AsyncSession, tenant_id: str) -> tuple[int, int | None]:
    """How many runs of the tenant are due and wait for a worker, and the oldest's wait in s."""
    waited = func.extract("epoch", func.now() - func.min(Run.not_before))
    query = select(func.count(), waited).where(
        Run.tenant_id == tenant_id, Run.status == RunStatus.PENDING, Run.not_before <= func.now()
    )
    count, seconds = (await session.execute(query)).one()
    return count, None if seconds is None else int(seconds)
