"""What LangSmith is given to find an execution by: its name, its metadata and its tags."""

from dataclasses import replace
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from app.db.tables.runs import Run
from app.execution.wiring import Service
from app.observability.trace_parent import read_parent
from app.observability.tracing import Traced
from app.observability.usage import UsageHandler
from graphs.policy import Policy

NAME = "support_agent"
# A tag has few values; a caller's own channel is `other`.
CHANNELS = frozenset({"api", "chat", "email", "form", "phone", "sms", "social", "web"})


def traced_config(
    service: Service, run: Run, policy: Policy, following: Any, config: dict[str, Any]
) -> RunnableConfig:
    """The config of one execution with its tracer and its name; `following` is the graph's input.

    The metadata goes with the tracer: that of `config` is stored with each checkpoint.
    """
    usage: UsageHandler
    # A dry run answers its own gates, and goes on in the trace it has.
    usage, *tracers = config["callbacks"]
    trigger = _trigger(run, following)
    # A start is the agent itself; what goes on from a checkpoint or repeats one has a suffix.
    name = {"message": NAME, "replay": f"{NAME}.replay"}.get(trigger, f"{NAME}.resume")
    metadata = {
        **about(run, policy, trigger),
        "thread_id": str(run.thread_id),
        "attempt": run.attempt,
        "graph_version": run.graph_version,
        "approval_id": _approval_id(following),
        "replay_of": str(run.replay_of) if run.replay_of else None,
        "dry_run": run.dry_run,
    }
    # What goes on after a pause may come days after the caller's own run has ended.
    parent = read_parent(run.trace_parent) if trigger == "message" else None
    known = {k: v for k, v in metadata.items() if v is not None}
    traced = replace(traced_run(run, policy, known), parent=parent)
    if run.traced and not tracers:
        tracers = service.tracing.callbacks(traced, usage.prices)
    own = {"run_name": name, "callbacks": [usage, *tracers]}
    return cast("RunnableConfig", {**config, **own})


def about(run: Run, policy: Policy, trigger: str) -> dict[str, Any]:
    """What every trace for a run says of it: ids, and settings that explain what it did."""
    return {
        "tenant_id": run.tenant_id,
        "ticket_id": run.ticket_id,
        "run_id": str(run.id),
        "root_run_id": str(run.trace_id),
        "trigger": trigger,
        "policy_version": run.policy_version,
        "trace_content": policy.trace_content,
    }


def traced_run(run: Run, policy: Policy, metadata: dict[str, Any]) -> Traced:
    """The trace of something that is done for a run, with the customer's names to mask."""
    customer = run.ticket.get("customer") or {}
    names = tuple(name for name in (customer.get("name"), customer.get("email")) if name)
    channel = str(run.ticket.get("channel") or "api").lower()
    channel = channel if channel in CHANNELS else "other"
    tags = [f"channel:{channel}", f"trigger:{metadata['trigger']}"]
    return Traced(policy.trace_content, names, {**metadata, "channel": channel}, tags)


def _trigger(run: Run, following: Any) -> str:
    """Why the graph runs: a new message, a decision, a replay, or what another worker began."""
    if run.replay_of:
        return "replay"
    if isinstance(following, Command):
        return "approval"
    return "recovery" if following is None else "message"


def _approval_id(following: Any) -> str | None:
    if not isinstance(following, Command) or not isinstance(following.resume, dict):
        return None
    [decision] = following.resume.values()
    found: str | None = decision.get("approval_id")
    return found
