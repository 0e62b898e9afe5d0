"""Every change of a run's status: one conditional UPDATE; no row means it lost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    ColumnElement,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from app.db.core.compiled import (
    CompiledQuery,
    CompiledStatement,
    Executor,
    new_binds,
    new_values,
    with_constants,
)
from app.db.runs.sampling import is_sampled
from app.db.runs.scheduling import blocked_by_thread, customer_at_limit
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.runs import Run
from app.db.tables.webhooks import WebhookEndpoint
from app.db.tenants.pauses import paused
from app.lifecycle import FINAL, RunStatus, sources
from graphs.state import SupportState


@dataclass(frozen=True, slots=True)
class Ending:
    """How one attempt at a run ended: what the run's row gets, and what else is to be stored.

    `tokens` and `cost_usd` are those of the attempt; a cost of None is unknown. `result` is the
    part of the graph's state that callers see.
    """

    status: RunStatus
    outcome: str | None = None
    error: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    losses: int | None = None
    not_before: datetime | None = None
    tokens: int = 0
    cost_usd: Decimal | None = Decimal(0)
    # The interrupt at which the graph waits for a person: its id, and what it asks.
    interrupt_id: str | None = None
    question: dict[str, Any] | None = None
    # The graph's state after a reply that others who ask the same may get.
    reusable: SupportState | None = None


class Beside(NamedTuple):
    """What else one statement writes as it ends a run: made from the ended row, and its values."""

    statement: Callable[[CTE], ReturningInsert[Any]]
    values: dict[str, Any]


# Columns that every ending sets, and those that stay as they are when it has none.
ALWAYS = ("outcome", "error")
KEPT_IF_NONE = ("result", "losses", "not_before")


def _moved(run_id: UUID | ColumnElement[UUID], target: RunStatus) -> ColumnElement[bool]:
    """The run, if the transition table lets it reach `target` now."""
    return and_(Run.id == run_id, or_(*[Run.status == source for source in sources(target)]))


async def claim(
    executor: Executor,
    traces: Mapping[UUID, UUID | None],
    worker_id: int,
    per_customer: int | None = None,
    graph_version: str | None = None,
    *,
    tracing: bool = False,
) -> list[Run]:
    """Take those of the runs that may run now, off the queue; each with the trace of its own.

    A run's thread must be free, its customer below `per_customer` running runs and its tenant not
    paused. An older unfinished run of the same thread comes first, so a thread's runs keep their
    order. Of two workers that claim one run, one gets it. The new `attempt` fences off the last.
    While `tracing` is on, a run is traced if the share of its policy has it.
    """
    return await _claim_runs(per_customer).all(
        executor,
        runs=list(traces),
        traces=list(traces.values()),
        worker=worker_id,
        version=graph_version,
        tracing=tracing,
    )


@cache
def _claim_runs(per_customer: int | None) -> CompiledQuery[Run]:
    both = func.unnest(bindparam("runs", type_=ARRAY(Uuid)), bindparam("traces", type_=ARRAY(Uuid)))
    wanted = both.table_valued("run", "trace", name="wanted").render_derived()
    # What has begun may go on whatever the customer's limit is, and counts for the others.
    turn = func.row_number().over(
        partition_by=[Run.tenant_id, Run.customer_id],
        order_by=[Run.started_at.nulls_last(), Run.seq],
    )
    may = (
        select(Run.id, wanted.c.trace, turn.label("turn"))
        .join(wanted, Run.id == wanted.c.run)
        # The clock: a run may have been written after this transaction began.
        .where(Run.status == RunStatus.PENDING, Run.not_before <= func.clock_timestamp())
        .where(~blocked_by_thread(), ~paused())
    )
    ready = with_constants(may).cte("ready")
    free = [] if per_customer is None else [~customer_at_limit(per_customer, ready.c.turn)]
    moved = _moved(ready.c.id, RunStatus.RUNNING)
    return CompiledQuery(
        Run,
        update(Run)
        .where(moved, *free)
        .values(
            status=RunStatus.RUNNING,
            queued_for=None,
            attempt=Run.attempt + 1,
            worker_id=bindparam("worker"),
            trace_id=ready.c.trace,
            traced=and_(bindparam("tracing", type_=Boolean), is_sampled()),
            started_at=func.coalesce(Run.started_at, func.now()),
            # What the run began with, also when another graph goes on with it.
            graph_version=func.coalesce(Run.graph_version, bindparam("version")),
        )
        .returning(Run),
    )


async def settle(
    executor: Executor,
    run_id: UUID,
    attempt: int,
    ending: Ending,
    *,
    alone: bool = False,
    beside: Beside | None = None,
) -> bool:
    """End this attempt's hold on the run; False when another attempt holds it meanwhile.

    Also False, if nothing but the run's row and what is `beside` it is to change, `alone`, when
    its end is an event for an endpoint.

    Tokens and cost are added to those of earlier attempts; an unknown cost makes the sum unknown.
    """
    new = {name: getattr(ending, name) for name in (*ALWAYS, *KEPT_IF_NONE)}
    known = {"run": run_id, "held": attempt, "to": ending.status}
    used = {"used": ending.tokens, "cost": ending.cost_usd}
    query = _update_settled(ending.status in FINAL, alone, beside and beside.statement)
    given = beside.values if beside else {}
    return bool(await query.rows(executor, **known, **used, **new_values(new), **given))


@cache
def _update_settled(
    final: bool, alone: bool, beside: Callable[[CTE], ReturningInsert[Any]] | None
) -> CompiledStatement:
    new = new_binds(ALWAYS)
    for name in KEPT_IF_NONE:
        column = getattr(Run, name)
        new[name] = func.coalesce(bindparam(f"new_{name}", type_=column.type), column)
    if final:
        new["finished_at"] = func.now()
    endpoint = exists().where(WebhookEndpoint.tenant_id == Run.tenant_id)
    settled = (
        update(Run)
        .where(
            Run.id == bindparam("run"),
            Run.attempt == bindparam("held"),
            Run.status == RunStatus.RUNNING,
            *([~endpoint] if alone else []),
        )
        .values(
            status=bindparam("to"),
            worker_id=None,
            tokens=Run.tokens + bindparam("used"),
            cost_usd=Run.cost_usd + bindparam("cost"),
            **new,
        )
        .returning(Run.id, Run.tenant_id, Run.policy_version)
    )
    if beside is None:
        return CompiledStatement(settled)
    ended = settled.cte("ended")
    return CompiledStatement(select(ended.c.id).add_cte(beside(ended).cte("beside")))


@cache
def _reopen_run() -> CompiledStatement:
    return CompiledStatement(
        update(Run)
        .where(Run.id == bindparam("run"), Run.status == RunStatus.INTERRUPTED)
        .values(status=RunStatus.PENDING, not_before=func.now())
        .returning(Run.id)
    )


async def reopen(executor: Executor, run_id: UUID) -> bool:
    """interrupted -> pending: there is an answer, so the run may go on."""
    return bool(await _reopen_run().rows(executor, run=run_id))


async def cancel_waiting(session: AsyncSession, run_id: UUID) -> bool:
    """pending or interrupted -> cancelled; a running run is stopped by its worker only.

    So is one that waits again after its worker died in an effect: a worker asks what became of it.
    """
    begun = exists().where(
        LedgerEntry.tenant_id == Run.tenant_id,
        LedgerEntry.run_id == Run.id,
        LedgerEntry.status == "started",
    )
    at_rest = or_(
        Run.status == RunStatus.INTERRUPTED, and_(Run.status == RunStatus.PENDING, ~begun)
    )
    query = (
        update(Run)
        .where(_moved(run_id, RunStatus.CANCELLED), at_rest)
        .values(status=RunStatus.CANCELLED, finished_at=func.now(), queued_for=None)
        .returning(Run.id)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def request_cancel(session: AsyncSession, run_id: UUID) -> bool:
    """Mark a run that `cancel_waiting` left: no effect begins any more, and a worker stops it."""
    query = (
        update(Run)
        .where(Run.id == run_id, Run.status.in_([RunStatus.RUNNING, RunStatus.PENDING]))
        .values(cancel_requested_at=func.coalesce(Run.cancel_requested_at, func.now()))
        .returning(Run.id)
    )
    return (await session.scalars(query)).one_or_none() is not None
