"""Reminders of open approvals: when one is due, and which are due now."""

from typing import Any

from sqlalchemy import ColumnElement, Interval, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.runs import Run
from app.lifecycle import ApprovalStatus

REMIND_AFTER = 0.75


def remind_at(expires_at: Any) -> ColumnElement[Any]:
    """When a quarter is left of the time from now until then, a datetime or an expression."""
    life = (expires_at - func.now()).self_group()
    wait: ColumnElement[Any] = life.op("*", return_type=Interval())(REMIND_AFTER)
    return func.now() + wait


async def mark_reminded(session: AsyncSession, limit: int) -> list[Approval]:
    """Mark and return open approvals whose last quarter of time has begun.

    Locks their runs too, as every writer of a run's events does; locked rows are skipped.
    """
    due = (
        select(Approval.id)
        .join(Run, Run.id == Approval.run_id)
        .where(
            Approval.status == ApprovalStatus.PENDING,
            Approval.reminded_at.is_(None),
            Approval.remind_at <= func.now(),
            Approval.expires_at > func.now(),
        )
        .order_by(Approval.remind_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    query = (
        update(Approval)
        .where(Approval.id.in_(due.scalar_subquery()))
        .values(reminded_at=func.now())
        .returning(Approval)
    )
    return list(await session.scalars(query))
