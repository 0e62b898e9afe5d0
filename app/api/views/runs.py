"""Rows to the API's shapes, a whole page with a fixed number of queries."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any, get_args
from urllib.parse import quote

from app.api import schemas
from app.api.views.approvals import show_approvals
from app.db.conversations.feedback import feedback_of_runs
from app.db.core.compiled import Executor
from app.db.effects.approvals import approvals_of_runs
from app.db.effects.ledger import effects_of_runs
from app.db.runs.queue_position import Place, queue_positions
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.conversations import Feedback
from app.db.tables.figures import ModelCall
from app.db.tables.runs import Run, Step
from app.lifecycle import RunStatus
from app.observability.trace_links import TraceLinks
from app.settings import Settings

EVERYTHING = frozenset(get_args(schemas.ExpandRun))


async def list_runs(
    executor: Executor,
    runs: list[Run],
    settings: Settings,
    expand: Iterable[str],
    links: TraceLinks | None = None,
) -> list[schemas.ListedRun]:
    """Runs of one tenant for a list: of what may be long, only what `expand` names."""
    links = links or TraceLinks(settings)
    shown = await _show(executor, runs, settings, frozenset(expand), links)
    return [schemas.ListedRun(**fields) for fields in shown]


async def show_run(
    executor: Executor, run: Run, settings: Settings, links: TraceLinks | None = None
) -> schemas.RunOut:
    """One run in the API's shape; without `links` LangSmith's project is not known."""
    [fields] = await _show(executor, [run], settings, EVERYTHING, links or TraceLinks(settings))
    return schemas.RunOut(**fields)


async def _show(
    executor: Executor,
    runs: list[Run],
    settings: Settings,
    expand: AbstractSet[str],
    links: TraceLinks,
) -> list[dict[str, Any]]:
    """Runs with their approvals and effects, if asked for, and their places in the queue."""
    if not runs:
        return []
    tenant = runs[0].tenant_id
    asked = [run.id for run in runs if _may_have_asked(run)] if "approvals" in expand else []
    approvals = await show_approvals(executor, await approvals_of_runs(executor, tenant, asked))
    begun = [run.id for run in runs if run.attempt]
    acted = begun if "effects" in expand else []
    effects = await effects_of_runs(executor, tenant, acted)
    rated = begun if "feedback" in expand else []
    ratings = await feedback_of_runs(executor, tenant, rated)
    queue = await queue_positions(executor, runs, settings.customer_concurrency)
    shown = []
    for run in runs:
        parts = _parts(
            run,
            [approval for approval in approvals if approval.run_id == run.id],
            [entry for entry in effects if entry.run_id == run.id],
            [rating for rating in ratings if rating.run_id == run.id],
        )
        summary = _summary(run, queue.get(run.id), links.of_run(run))
        shown.append(summary | {name: parts[name] for name in expand})
    return shown


def _may_have_asked(run: Run) -> bool:
    """Whether there can be approvals: a run that is in its first attempt, or ended at it, has none.

    A run at its first attempt that is pending again was decided, and waits for a worker.
    """
    paused = (RunStatus.INTERRUPTED, RunStatus.PENDING, RunStatus.CANCELLED)
    return run.attempt > 1 or (run.attempt == 1 and run.status in paused)


def _parts(
    run: Run,
    approvals: list[schemas.ApprovalOut],
    effects: list[LedgerEntry],
    ratings: list[Feedback],
) -> dict[str, Any]:
    """What may be long, by the names of `expand`."""
    reply = run.result.get("reply")
    return {
        "plan": (run.result.get("plan") or {"steps": []})["steps"],
        "approvals": approvals,
        # Every field, since a list leaves out what is not set.
        "reply": reply and {"simulated": False, **reply},
        "verdicts": run.result.get("verdicts", []),
        "effects": [_effect(entry) for entry in effects],
        "escalation": run.result.get("escalation"),
        "handoff": run.result.get("handoff"),
        "set_apart": run.result.get("set_apart", []),
        "feedback": [show_rating(rating) for rating in ratings],
    }


def _summary(run: Run, place: Place | None, trace_url: str | None) -> dict[str, Any]:
    triage: dict[str, Any] = run.result.get("triage") or {}
    here, thread = f"/v1/runs/{run.id}", f"/v1/threads/{quote(run.ticket_id, safe='')}"
    fields = {
        name: getattr(run, name)
        for name in schemas.RunSummary.model_fields
        if name not in ("cost_usd", "metadata") and hasattr(run, name)
    }
    return fields | {
        "intents": triage.get("intents", []),
        "urgency": triage.get("urgency"),
        "anger": triage.get("anger"),
        "language": triage.get("language"),
        "tier": run.result.get("tier"),
        "cache_hit": run.result.get("cache_hit", False),
        "ignored": run.result.get("ignored"),
        "metadata": run.caller_metadata,
        "cost_usd": None if run.cost_usd is None else float(run.cost_usd),
        "trace_url": trace_url,
        "queued_reason": place.reason if place else None,
        "queue_position": place.position if place else None,
        "links": {
            "self": here,
            "steps": f"{here}/steps",
            "thread": thread,
            **({"diff": f"{here}/diff"} if run.replay_of else {}),
            **({"merged_into": f"/v1/runs/{run.merged_into}"} if run.merged_into else {}),
        },
    }


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


def show_rating(rating: Feedback) -> schemas.FeedbackOut:
    """A rating of an answer."""
    fields = schemas.FeedbackOut.model_fields
    return schemas.FeedbackOut(**{name: getattr(rating, name) for name in fields})


def show_step(step: Step, links: TraceLinks | None = None) -> schemas.RunStepOut:
    """A node execution with its model calls; without `links` LangSmith's project is not known."""
    names = schemas.RunStepOut.model_fields.keys() - {"trace_url", "model_calls"}
    fields = {name: getattr(step, name) for name in names}
    fields["trace_url"] = links.of_step(step.trace_run_id) if links else None
    fields["model_calls"] = [show_call(call) for call in step.model_calls]
    fields["cost_usd"] = None if step.cost_usd is None else float(step.cost_usd)
    return schemas.RunStepOut(**fields)


def show_call(call: ModelCall) -> schemas.ModelCallOut:
    """A call of a model; of one that failed there is no number of tokens and no cost."""
    noted = {
        "role": call.role,
        "tier": call.tier,
        "fallback": call.fallback or None,
        "repair": call.repair or None,
        "reason": call.reason,
        "error": call.error,
    }
    spent = {
        "input_tokens": call.input_tokens,
        "cached_tokens": call.cached_tokens,
        "output_tokens": call.output_tokens,
        "cost_usd": None if call.cost_usd is None else float(call.cost_usd),
    }
    known = {name: value for name, value in noted.items() if value is not None}
    model = call.answered or call.asked
    return schemas.ModelCallOut(model=model, **known, **({} if call.error else spent))
