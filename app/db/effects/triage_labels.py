"""Queries on what people said of a tenant's triage: they agreed with a run, or corrected one."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.conversations import Feedback
from app.db.tables.runs import Run
from app.lifecycle import ApprovalStatus, RunStatus

# The newest: what was asked years ago says little of what is asked now.
MOST = 50_000
# Of what a model has triaged: newer tickets say more of how good it is now.
MOST_WATCHED = 1000
# How good a rating must be to say that the ticket was understood.
GOOD_STARS, GOOD_THUMB = 4, 1


class Labelled(NamedTuple):
    """A run, and the intents that a person stands for."""

    run: Run
    intents: list[str]


class Watched(NamedTuple):
    """What the tenant's own model said of a run, and the intents that a person stands for."""

    intent: str
    accuracy: float
    intents: list[str]

    @property
    def right(self) -> bool:
        """Whether the person agrees with the model."""
        return self.intents == [self.intent]


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


async def watched_runs(session: AsyncSession, tenant_id: str, version: int) -> list[Watched]:
    """The newest labelled runs that this model of the tenant's has triaged."""
    first = aliased(Run)
    replays = (
        _corrected(tenant_id)
        .join(first, and_(first.tenant_id == tenant_id, first.id == Run.replay_of))
        .where(_triaged_by(first, version))
        .add_columns(first.id, first.result)
        .limit(MOST_WATCHED)
    )
    agreed = _confirmed(tenant_id).where(_triaged_by(Run, version)).limit(MOST_WATCHED)
    # Of several corrections of a run the newest counts, as in labelled_runs.
    found = {
        run_id: _watched(result, _corrected_intents(replay))
        for replay, run_id, result in reversed((await session.execute(replays)).all())
    }
    for run in await session.scalars(agreed):
        found.setdefault(run.id, _watched(run.result, run.result["triage"]["intents"]))
    newest = sorted(found, reverse=True)[:MOST_WATCHED]
    return [found[run_id] for run_id in newest]


def _triaged_by(run: type[Run], version: int) -> ColumnElement[bool]:
    said = {"triage": {"trained": {"version": version, "routed": True}}}
    return type_coerce(run.result, JSONB).contains(said)


def _watched(result: dict[str, Any], intents: list[str]) -> Watched:
    trained = result["triage"]["trained"]
    return Watched(trained["intent"], trained["accuracy"], intents)


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
