"""What an execution found out about its own answer, as feedback on its trace."""

from collections.abc import Iterator
from typing import Any

from app.observability.trace_run import TracedRun, TraceFeedback


def feedback_of(root: TracedRun) -> Iterator[TraceFeedback]:
    """Of a run that ended: the share of claims that were found supported, and why a person got it.

    A run that waits has said nothing yet.
    """
    state = root.outputs if isinstance(root.outputs, dict) else {}
    if not state.get("outcome") or root.metadata.get("run_outcome") != "success":
        return
    if verdicts := state.get("verdicts"):
        yield TraceFeedback(root, "grounding", *_of_verdicts(verdicts))
    if state["outcome"] == "escalated":
        reason = (state.get("escalation") or {}).get("reason")
        yield TraceFeedback(root, "escalated", 1.0, str(reason or "escalated"))


def _of_verdicts(verdicts: list[dict[str, Any]]) -> tuple[float, str]:
    supported = sum(bool(verdict.get("supported")) for verdict in verdicts)
    return supported / len(verdicts), f"{supported} of {len(verdicts)} claims"
