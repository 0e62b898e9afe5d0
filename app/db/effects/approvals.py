"""Queries on approvals: opened with the pause, decided once by compare-and-set."""

from collections import Counter
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.compiled import CompiledQuery, CompiledStatement, Executor, new_binds, new_values
from app.db.effects.reminders import remind_at
from app.db.tables.approvals_and_ledger import Approval, Decision, LedgerEntry
from app.db.tables.runs import Run
from app.lifecycle import ApprovalStatus
from tools.catalog import money_of


async def open_approval(session: AsyncSession, **values: Any) -> bool:
    """Write the approval of an interrupt; False when the interrupt already has one."""
    row = insert(Approval).values(**values, remind_at=remind_at(values["expires_at"]))
    row = row.on_conflict_do_nothing(index_elements=["run_id", "interrupt_id"])
    return (await session.scalars(row.returning(Approval.id))).one_or_none() is not None


async def get_approval(session: AsyncSession, tenant_id: str, approval_id: UUID) -> Approval | None:
    """The tenant's approval of that id."""
    query = select(Approval).where(Approval.tenant_id == tenant_id, Approval.id == approval_id)
    return (await session.scalars(query)).one_or_none()


@cache
def _select_of_runs() -> CompiledQuery[Approval]:
    return CompiledQuery(
        Approval,
        select(Approval)
        .where(
            Approval.tenant_id == bindparam("tenant"),
            Approval.run_id == func.any(bindparam("runs", type_=ARRAY(Uuid))),
        )
        .order_by(Approval.id),
    )


async def approvals_of_runs(
    executor: Executor, tenant_id: str, run_ids: list[UUID]
) -> list[Approval]:
    """All approvals of these runs, oldest first; only to be read."""
    if not run_ids:
        return []
    return await _select_of_runs().all(executor, tenant=tenant_id, runs=run_ids)


def approvals_of_tenant(
    tenant_id: str,
    status: ApprovalStatus | None = None,
    run_id: UUID | None = None,
    ticket_id: str | None = None,
    customer_id: str | None = None,
) -> Select[Approval]:
    """Select the tenant's approvals that match every filter given."""
    query = select(Approval).where(Approval.tenant_id == tenant_id)
    if status is not None:
        query = query.where(Approval.status == status)
    if run_id is not None:
        query = query.where(Approval.run_id == run_id)
    if ticket_id is None and customer_id is None:
        return query
    # By the run, whose ticket and customer have an index.
    runs = select(Run.id).where(Run.tenant_id == tenant_id)
    if ticket_id is not None:
        runs = runs.where(Run.ticket_id == ticket_id)
    if customer_id is not None:
        runs = runs.where(Run.customer_id == customer_id)
    return query.where(Approval.run_id.in_(runs))


async def record_decision(executor: Executor, approval: Approval, **values: Any) -> bool:
    """Store one more answer to the approval as it was read; False if it changed or expired since.

    With `decision` among the values the approval is closed by it.
    """
    read = {"approval": approval.id, "shown": approval.digest, "before": approval.answers}
    new = new_values(values)
    return bool(await _update_decided(tuple(values)).rows(executor, **read, **new))


@cache
def _update_decided(names: tuple[str, ...]) -> CompiledStatement:
    columns = new_binds(names)
    if "decision" in names:
        columns["decided_at"] = func.now()
    return CompiledStatement(
        update(Approval)
        .where(
            Approval.id == bindparam("approval"),
            Approval.status == ApprovalStatus.PENDING,
            Approval.digest == bindparam("shown"),
            Approval.answers == bindparam("before"),
            Approval.expires_at > func.now(),
        )
        .values(answers=Approval.answers + 1, **columns)
        .returning(Approval.id)
    )


async def is_due(session: AsyncSession, approval_id: UUID) -> bool:
    """Whether the approval's time is over, by the database's clock."""
    query = select(Approval.expires_at <= func.now()).where(Approval.id == approval_id)
    return bool(await session.scalar(query))


async def overdue_approvals(session: AsyncSession, limit: int) -> list[Approval]:
    """Open approvals whose time is over, oldest first."""
    query = (
        select(Approval)
        .where(Approval.status == ApprovalStatus.PENDING, Approval.expires_at <= func.now())
        .order_by(Approval.expires_at)
        .limit(limit)
    )
    return list(await session.scalars(query))


async def expire(session: AsyncSession, approval_id: UUID, decision: dict[str, Any]) -> bool:
    """pending -> expired, with the answer that the graph resumes with."""
    query = (
        update(Approval)
        .where(Approval.id == approval_id, Approval.status == ApprovalStatus.PENDING)
        .values(status=ApprovalStatus.EXPIRED, decision=decision, decided_at=func.now())
        .returning(Approval.id)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def cancel_open(session: AsyncSession, run_id: UUID) -> None:
    """Close the open approvals of a cancelled run."""
    await session.execute(
        update(Approval)
        .where(Approval.run_id == run_id, Approval.status == ApprovalStatus.PENDING)
        .values(status=ApprovalStatus.CANCELLED)
    )


@cache
def _select_decision() -> CompiledStatement:
    return CompiledStatement(
        select(Approval.decision).where(
            Approval.tenant_id == bindparam("tenant"),
            Approval.run_id == bindparam("run"),
            Approval.interrupt_id == bindparam("interrupt"),
        )
    )


async def decision_for(
    executor: Executor, tenant_id: str, run_id: UUID, interrupt_id: str
) -> dict[str, Any] | None:
    """The answer to an interrupt, once there is one."""
    asked = {"tenant": tenant_id, "run": run_id, "interrupt": interrupt_id}
    found = await _select_decision().rows(executor, **asked)
    return found[0][0] if found else None


@cache
def _select_decisions() -> CompiledQuery[Decision]:
    return CompiledQuery(
        Decision,
        select(Decision)
        .where(Decision.approval_id == func.any(bindparam("approvals", type_=ARRAY(Uuid))))
        .order_by(Decision.number),
    )


async def decisions_on(executor: Executor, approval_ids: list[UUID]) -> dict[UUID, list[Decision]]:
    """Who decided what, by approval."""
    found: dict[UUID, list[Decision]] = {}
    if approval_ids:
        for decision in await _select_decisions().all(executor, approvals=approval_ids):
            found.setdefault(decision.approval_id, []).append(decision)
    return found


async def agreed_steps(
    session: AsyncSession, tenant_id: str, run_id: UUID
) -> list[tuple[UUID, int, dict[str, Any]]]:
    """Every step that people agreed to for this run, as they left it.

    Each comes with the id of its approval and the number of people that approval asked for. Only
    the newest approval of each kind counts.
    """
    newest = (
        select(Approval.id)
        .where(Approval.tenant_id == tenant_id, Approval.run_id == run_id)
        .order_by(Approval.kind, Approval.id.desc())
        .ext(distinct_on(Approval.kind))
    )
    agreed = (ApprovalStatus.APPROVED, ApprovalStatus.EDITED)
    query = select(Approval).where(Approval.id.in_(newest), Approval.status.in_(agreed))
    return [
        (approval.id, approval.required_approvers, step)
        for approval in await session.scalars(query)
        if approval.decision
        for step in approval.decision["steps"]
    ]


async def money_in_open_plans(
    session: AsyncSession, tenant_id: str, customer_id: str, except_run: UUID
) -> dict[str, int]:
    """What other live runs of the customer still plan to move, minor units by currency.

    A step that is in the ledger counts there, and a later approval of a run replaces earlier ones.
    """
    counted = (ApprovalStatus.PENDING, ApprovalStatus.APPROVED, ApprovalStatus.EDITED)
    plans = (
        select(Approval)
        .join(Run, Run.id == Approval.run_id)
        .where(
            Run.tenant_id == tenant_id,
            Run.customer_id == customer_id,
            Run.finished_at.is_(None),
            Run.id != except_run,
            Approval.status.in_(counted),
        )
        .order_by(Approval.id)
    )
    newest = {approval.run_id: approval for approval in await session.scalars(plans)}
    begun = select(LedgerEntry.run_id, LedgerEntry.step_id).where(
        LedgerEntry.tenant_id == tenant_id, LedgerEntry.run_id.in_(newest)
    )
    done = {(run_id, step_id) for run_id, step_id in await session.execute(begun)}
    planned: Counter[str] = Counter()
    for run_id, approval in newest.items():
        for step in approval.decision["steps"] if approval.decision else approval.steps:
            if (run_id, step["id"]) not in done and (money := money_of(step)):
                planned[money.currency] += money.amount_minor
    return dict(planned)
