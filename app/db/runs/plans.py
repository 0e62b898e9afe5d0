"""What stored steps say of how runs were planned: triage, findings and the first plan of each."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.runs import Run, Step
from graphs.state import SPECIALISTS

READ_NODES = ("classify", *SPECIALISTS, "plan")
# Of a finding, what decides whether its plan needs a person; the articles that it holds are large.
DECIDES = ("steps", "refunded_24h", "proposer", "doubts")


@dataclass(slots=True)
class PastRun:
    """A run that was begun for a customer, and what its steps stored until the first plan.

    `plan` is None where there was none, `triage` where the message was not triaged; `recalled`: its
    answer came from the cache.
    """

    id: UUID
    ticket_id: str
    triage: dict[str, Any] | None = None
    escalation: dict[str, Any] | None = None
    plan: dict[str, Any] | None = None
    planned: bool = False
    recalled: bool = False
    findings: dict[str, dict[str, Any]] = field(default_factory=dict)


async def past_runs(
    session: AsyncSession, tenant_id: str, since: datetime, limit: int
) -> list[PastRun]:
    """The newest runs that began since a time, newest first; rehearsals and replays left out."""
    newest = (
        select(Run.id, Run.ticket_id)
        .where(
            Run.tenant_id == tenant_id,
            # Ids are in the order of time, so the index of the tenant's runs finds them.
            Run.id >= first_id_at(since),
            Run.replay_of.is_(None),
            Run.dry_run.is_(False),
        )
        .order_by(Run.id.desc())
        .limit(limit)
    )
    runs = {run_id: PastRun(run_id, ticket) for run_id, ticket in await session.execute(newest)}
    finding = Step.output["findings"].op("->")(Step.node)
    decides = func.jsonb_build_object(*(part for name in DECIDES for part in (name, finding[name])))
    steps = (
        select(
            Step.run_id, Step.node, Step.output["triage"], Step.output["escalation"],
            Step.output["cache_hit"], Step.output["plan"], decides,
        )
        .where(
            Step.tenant_id == tenant_id,
            Step.run_id.in_(list(runs)),
            Step.node.in_(READ_NODES),
            Step.status == "success",
        )
        .order_by(Step.run_id, Step.seq)
    )  # fmt: skip
    _take(runs, await session.execute(steps))
    return list(runs.values())


def _take(runs: dict[UUID, PastRun], steps: Iterable[Any]) -> None:
    """Put each step's share into its run; what follows the first plan is a person's doing."""
    for run_id, node, triage, escalation, recalled, plan, finding in steps:
        run = runs[run_id]
        if run.planned:
            continue
        if node == "classify":
            run.triage, run.escalation, run.recalled = triage, escalation, bool(recalled)
        elif node == "plan":
            run.plan, run.planned = plan, True
        else:
            run.findings[node] = {k: v for k, v in finding.items() if v is not None}


def first_id_at(moment: datetime) -> UUID:
    """The lowest id that a run made at this time can have: RFC 9562, 5.7, its first 48 bits."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
