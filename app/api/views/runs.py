"""Rows to the API's shapes, a whole page with a fixed number of queries."""

from typing import Any
from urllib.parse import quote

from app.api import schemas
from app.api.views.approvals import show_approvals
from app.db.core.compiled import Executor
from app.db.effects.approvals import approvals_of_runs
from app.db.effects.ledger import effects_of_runs
from app.db.runs.queue_position import Place, queue_positions
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.runs import Run, Step
from app.lifecycle import RunStatus
from app.settings import Settings


async def show_runs(
    executor: Executor, runs: list[Run], settings: Settings
) -> list[schemas.RunOut]:
    """Runs of one tenant with their approvals, effects and places in the queue."""
    if not runs:
        return []
    tenant = runs[0].tenant_id
    asked = [run.id for run in runs if _may_have_asked(run)]
    approvals = await show_approvals(executor, await approvals_of_runs(executor, tenant, asked))
    begun = [run.id for run in runs if run.attempt]
    effects = await effects_of_runs(executor, tenant, begun)
    queue = await queue_positions(executor, runs, settings.customer_concurrency)
    return [
        _run(
            run,
            [approval for approval in approvals if approval.run_id == run.id],
            [entry for entry in effects if entry.run_id == run.id],
            queue.get(run.id),
            settings.trace_url,
        )
        for run in runs
    ]


def _may_have_asked(run: Run) -> bool:
    """Whether there can be approvals: a run that is in its first attempt, or ended at it, has none.

    A run at its first attempt that is pending again was decided, and waits for a worker.
    """
    paused = (RunStatus.INTERRUPTED, RunStatus.PENDING, RunStatus.CANCELLED)
    return run.attempt > 1 or (run.attempt == 1 and run.status in paused)


async def show_run(executor: Executor, run: Run, settings: Settings) -> schemas.RunOut:
    """One run in the API's shape."""
    [shown] = await show_runs(executor, [run], settings)
    return shown


def _run(
    run: Run,
    approvals: list[schemas.ApprovalOut],
    effects: list[LedgerEntry],
    place: Place | None,
    trace_url: str | None,
) -> schemas.RunOut:
    triage: dict[str, Any] = run.result.get("triage") or {}
    plan = run.result.get("plan") or {"steps": []}
    here, thread = f"/v1/runs/{run.id}", f"/v1/threads/{quote(run.ticket_id, safe='')}"
    fields = {
        name: getattr(run, name)
        for name in schemas.RunOut.model_fields
        if name not in ("cost_usd", "metadata") and hasattr(run, name)
    }
    return schemas.RunOut(
        **fields,
        intents=triage.get("intents", []),
        urgency=triage.get("urgency"),
        anger=triage.get("anger"),
        language=triage.get("language"),
        plan=plan["steps"],
        tier=run.result.get("tier"),
        approvals=approvals,
        reply=run.result.get("reply"),
        verdicts=run.result.get("verdicts", []),
        effects=[_effect(entry) for entry in effects],
        cache_hit=run.result.get("cache_hit", False),
        escalation=run.result.get("escalation"),
        handoff=run.result.get("handoff"),
        ignored=run.result.get("ignored"),
        set_apart=run.result.get("set_apart", []),
        metadata=run.caller_metadata,
        cost_usd=None if run.cost_usd is None else float(run.cost_usd),
        trace_url=trace_url.format(trace_id=run.trace_id) if trace_url and run.trace_id else None,
        queued_reason=place.reason if place else None,
        queue_position=place.position if place else None,
        links={
            "self": here,
            "steps": f"{here}/steps",
            "thread": thread,
            **({"diff": f"{here}/diff"} if run.replay_of else {}),
            **({"merged_into": f"/v1/runs/{run.merged_into}"} if run.merged_into else {}),
        },
    )


def _effect(entry: LedgerEntry) -> schemas.EffectOut:
    return schemas.EffectOut(
        tool=entry.tool,
        args=entry.args,
        result=entry.result,
        progress=entry.progress,
        step_id=entry.step_id,
        key=entry.key,
        at=entry.finished_at or entry.started_at,
    )


def show_step(step: Step) -> schemas.RunStepOut:
    """A node execution."""
    fields = {name: getattr(step, name) for name in schemas.RunStepOut.model_fields}
    fields["cost_usd"] = None if step.cost_usd is None else float(step.cost_usd)
    return schemas.RunStepOut(**fields)
