"""How an execution ended, as the run's row is told."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from app.db.core.availability import is_unavailable
from app.db.tables.runs import Run
from app.execution.execute import Ending
from app.execution.run_error import run_error
from app.execution.settle import Settlement
from app.lifecycle import RunStatus
from app.log import get_logger
from graphs.state import SupportState
from graphs.suspend import RunWaitsError
from tools.errors import RunLostError

log = get_logger(__name__)

RETRY_SECONDS = 1


def settlement_from(run: Run, execution: "asyncio.Task[Ending]", *, cancelled: bool) -> Settlement:
    """What an ended execution means for the run's row; `cancelled`: a caller asked for that."""
    if execution.cancelled():
        return Settlement(RunStatus.CANCELLED if cancelled else RunStatus.PENDING, {})
    failure = execution.exception()
    if failure is None:
        # Also when a cancel came too late: what was sent was sent.
        return settlement_of_ending(execution.result())
    if cancelled:
        return Settlement(RunStatus.CANCELLED, {})
    if isinstance(failure, RunLostError):
        # Another attempt has it, and then this changes nothing; or it was cancelled while the
        # watch looked elsewhere, and then settling sees that.
        return Settlement(RunStatus.PENDING, {})
    if is_unavailable(failure) or isinstance(failure, RunWaitsError):
        later = datetime.now(UTC) + timedelta(seconds=RETRY_SECONDS)
        return Settlement(RunStatus.PENDING, {"not_before": later})
    log.error("run_failed", run_id=str(run.id), exc_info=failure)
    return Settlement(RunStatus.ERROR, {"error": run_error(failure)})


def settlement_of_ending(ending: Ending) -> Settlement:
    """The row's new values after an execution that reached an end of its own."""
    state: SupportState = ending.state  # type: ignore[assignment]  # the graph's own state
    values: dict[str, Any] = {
        "error": ending.error,
        "tokens": ending.tokens,
        "cost_usd": ending.cost_usd,
        "result": run_result(state),
    }
    if ending.status is RunStatus.SUCCESS:
        values["outcome"] = ending.state.get("outcome")
    gate = None
    if ending.status is RunStatus.INTERRUPTED:
        [question] = ending.interrupts
        gate = {"id": question.id, "value": question.value}
    # Only an answer that came from the knowledge base can be one for others.
    kept = values.get("outcome") == "answered" and state.get("kb_version") is not None
    final = state if kept else None
    return Settlement(ending.status, values, gate, final)


def run_result(state: SupportState) -> dict[str, Any]:
    """The part of the graph's state that a caller sees on the run."""
    triage = state.get("triage")
    return {
        "triage": triage,
        "cache_hit": state.get("cache_hit", False),
        "plan": state.get("plan"),
        "tier": state.get("tier"),
        "escalation": state.get("escalation"),
        "handoff": state.get("handoff"),
        "reply": state.get("reply"),
        # What a replay would have said stands here; its `reply` is what the customer was told.
        "draft": state.get("draft"),
    }
