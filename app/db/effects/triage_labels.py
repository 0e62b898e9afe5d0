"""Queries on what people said of a tenant's triage: they agreed with a run, or corrected one."""

from typing import NamedTuple

from sqlalchemy import Select, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.conversations import Feedback
from app.db.tables.runs import Run
from app.lifecycle import ApprovalStatus, RunStatus

# The newest: what was asked years ago says little of what is asked now.
MOST = 50_000
# How good a rating must be to say that the ticket was understood.
GOOD_STARS, GOOD_THUMB = 4, 1


class Labelled(NamedTuple):
    """A run, and the intents that a person stands for."""

    run: Run
    intents: list[str]


async def labelled_runs(session: AsyncSession, tenant_id: str) -> list[Labelled]:
    """Corrected runs, and confirmed ones that were not corrected, the newest first."""
    corrected = list(await session.scalars(_corrected(tenant_id)))
    confirmed = list(await session.scalars(_confirmed(tenant_id)))
    # Of several corrections of a run the newest counts.
    found = {run.replay_of: Labelled(run, _corrected_intents(run)) for run in reversed(corrected)}
    agreed = [
        Labelled(run, (run.result.get("triage") or {}).get("intents") or [])
        for run in confirmed
        if run.id not in found
    ]
    return [one for one in (*found.values(), *agreed) if one.intents]


def _corrected(tenant_id: str) -> Select[Run]:
    """Replays, other than dry runs, that a person gave other intents."""
    return (
        select(Run)
        .where(
            Run.tenant_id == tenant_id,
            Run.replay_of.is_not(None),
            Run.dry_run.is_(False),
            Run.replay_from["state"]["triage"]["intents"].is_not(None),
        )
        .order_by(Run.seq.desc())
        .limit(MOST)
    )


def _corrected_intents(run: Run) -> list[str]:
    state = (run.replay_from or {}).get("state") or {}
    return (state.get("triage") or {}).get("intents") or []


def _confirmed(tenant_id: str) -> Select[Run]:
    """Runs whose plan or reply a person approved as it was or edited, or whose answer was rated
    well and badly by no one."""
    mine = and_(Approval.tenant_id == tenant_id, Approval.run_id == Run.id)
    yes = Approval.status.in_([ApprovalStatus.APPROVED, ApprovalStatus.EDITED])
    no = Approval.status.in_([ApprovalStatus.REJECTED, ApprovalStatus.EXPIRED])
    rated = and_(Feedback.tenant_id == tenant_id, Feedback.run_id == Run.id)
    good = or_(
        and_(Feedback.scale == "stars", Feedback.score >= GOOD_STARS),
        and_(Feedback.scale == "thumbs", Feedback.score == GOOD_THUMB),
    )
    praised = and_(
        Run.outcome == "answered",
        exists().where(rated, good),
        ~exists().where(rated, ~good),
    )
    return (
        select(Run)
        .where(
            Run.tenant_id == tenant_id,
            Run.replay_of.is_(None),
            Run.dry_run.is_(False),
            Run.status == RunStatus.SUCCESS,
            Run.outcome.in_(["answered", "acted"]),
            ~exists().where(mine, no),
            or_(exists().where(mine, yes), praised),
        )
        .order_by(Run.seq.desc())
        .limit(MOST)
    )
