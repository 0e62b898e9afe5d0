"""A run as its readers need it: the facts in short, and its steps on one scale of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.console.views.words import duration, label, moment, usd
from app.db.tables.runs import Run, Step

# The scale is so many units wide.
WIDTH = 1000
THINNEST = 4
# A shorter time between two steps is no wait.
WAIT_MS = 1000


@dataclass(frozen=True, slots=True)
class Bar:
    """One step, where it lies on the run's own scale of time, and what was waited before it."""

    step: Step
    left: int
    width: int
    took: str
    waited: str
    models: str


def head(run: Run) -> list[tuple[str, str]]:
    """What is known of the run in short; what is not is left out."""
    triage: dict[str, Any] = run.result.get("triage") or {}
    took = run.finished_at and run.started_at and run.finished_at - run.started_at
    facts: list[tuple[str, Any]] = [
        ("Customer", run.customer_id),
        ("Begun", run.started_at and moment(run.started_at)),
        ("Took", took and f"{duration(took.total_seconds())}, pauses included"),
        ("Attempts", run.attempt if run.attempt > 1 else None),
        ("About", ", ".join(map(str, triage.get("intents") or []))),
        ("Language", triage.get("language")),
        ("Policy", f"version {run.policy_version}" if run.policy_version else "the default"),
        ("Models", run.tokens and f"{run.tokens} tokens, {usd(run.cost_usd)}"),
        ("Dry run", "nothing was done outside" if run.dry_run else None),
        ("Escalated", _pairs(run.result.get("escalation"))),
        ("Not answered", _pairs(run.result.get("ignored"))),
        ("Error", _pairs(run.error)),
    ]
    return [(name, str(value)) for name, value in facts if value]


def _pairs(values: Any) -> str:
    """A sentence with its code behind it; what else is known by name."""
    if not isinstance(values, dict):
        return str(values or "")
    left = {name: value for name, value in values.items() if value}
    said = left.pop("detail", None) or left.pop("message", None)
    code = left.pop("reason", None) or left.pop("type", None)
    if said and code:
        said, code = f"{said} ({code})", None
    rest = [f"{label(str(name))}: {value}" for name, value in left.items()]
    return ", ".join(str(part) for part in (said, code, *rest) if part)


def bars(steps: Sequence[Step]) -> list[Bar]:
    """The steps from the first one's beginning to the last one's end, waits left out.

    Steps that ran side by side lie side by side. Where none ran, as while a person decided, the
    scale goes on at once, and the next step says how long that was.
    """
    placed = list(_placed(steps))
    whole = max((start + took for _, start, took, _ in placed), default=0.0) or 1.0
    return [
        Bar(
            step=step,
            left=min(int(start / whole * WIDTH), WIDTH - THINNEST),
            width=max(int(took / whole * WIDTH), THINNEST),
            took=f"{int(took)} ms" if took < 10_000 else duration(took / 1000),
            waited=waited,
            models=", ".join(str(call.answered or call.asked) for call in step.model_calls),
        )
        for step, start, took, waited in placed
    ]


def _placed(steps: Sequence[Step]) -> Iterator[tuple[Step, float, float, str]]:
    """Each step with its beginning and length in milliseconds, and what was waited before it."""
    begun_ms = [step.started_at.timestamp() * 1000 for step in steps]
    zero = end = begun_ms[0] if begun_ms else 0.0
    before = None
    for step, begun in zip(steps, begun_ms, strict=True):
        idle, took = max(begun - end, 0.0), float(step.duration_ms or 0)
        zero += idle
        yield step, max(begun - zero, 0.0), took, _waited(idle, before)
        end, before = max(end, begun + took), step


def _waited(idle_ms: float, before: Step | None) -> str:
    """What lies between two steps, in words; empty for less than a second."""
    if idle_ms < WAIT_MS or before is None:
        return ""
    lasted = duration(idle_ms / 1000)
    return f"{lasted} with people" if before.status == "interrupted" else f"{lasted} of waiting"
