"""What waits in the whole installation: due runs and open approvals, for operators' figures."""

from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.runs.scheduling import blocked_by_thread
from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.runs import Run
from app.db.tenants.pauses import paused
from app.lifecycle import ApprovalStatus, RunStatus

# The counts stop here, so that a scrape costs no more however much waits.
MOST = 10_000


class Backlog(NamedTuple):
    """Runs that a worker could take, approvals that are open, and the seconds of the oldest."""

    due: int
    oldest_due_seconds: float
    approvals: int
    oldest_approval_seconds: float


async def read_backlog(session: AsyncSession) -> Backlog:
    """Over all tenants. Runs of a paused tenant or behind their ticket's run do not wait for us."""
    due, since, now = (await session.execute(_due())).one()
    approvals, asked, _ = (await session.execute(_approvals())).one()
    return Backlog(due, _seconds(since, now), approvals, _seconds(asked, now))


def _seconds(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


@cache
def _due() -> Any:
    since = func.greatest(Run.queued_at, Run.not_before).label("since")
    waits = (Run.status == RunStatus.PENDING, Run.not_before <= func.now())
    free = (~blocked_by_thread(), ~paused())
    return _counted(select(since).where(*waits, *free).order_by(Run.queued_at))


@cache
def _approvals() -> Any:
    open_ones = Approval.status == ApprovalStatus.PENDING
    return _counted(
        select(Approval.created_at.label("since")).where(open_ones).order_by(Approval.expires_at)
    )


def _counted(waiting: Select[Any]) -> Any:
    rows = waiting.limit(MOST).subquery()
    return select(func.count(), func.min(rows.c.since), literal_column("now()")).select_from(rows)
