"""The figures of runs, steps, tools and model calls for Prometheus. No label is an id.

Names, units and buckets of `gen_ai_*` are those of the OpenTelemetry conventions for generative AI,
as Prometheus writes them. The figures are those of one process, since its start.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any

from langgraph.errors import GraphBubbleUp, NodeTimeoutError
from prometheus_client import Counter, Histogram

from app.db.runs.transitions import Ending
from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.runs import Run
from app.lifecycle import RunStatus
from app.observability.prices import Tokens
from graphs.suspend import AttemptLostError
from tools.models import JsonObject
from tools.toolbox import Watch

WORKFLOW = "support_agent"
# Whose exceptions are named in a label: their classes are fixed in code, so they are few.
NAMED = frozenset(
    ("app", "graphs", "tools", "asyncio", "builtins", "httpx", "langgraph", "openai", "psycopg")
)
CALL_BUCKETS = (
    .01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
)  # fmt: skip
TOKEN_BUCKETS = tuple(4**power for power in range(14))
WORKFLOW_BUCKETS = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
STEP_BUCKETS = (.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120)  # fmt: skip
# The first one shows decisions that no person can have thought about.
WAIT_BUCKETS = (3, 10, 60, 300, 900, 3600, 14400, 86400, 259200)
QUEUE_BUCKETS = (.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)  # fmt: skip

RUNS = Counter("deskgraph_runs_settled", "Executions by how they ended.", ["status", "outcome"])
WORKFLOWS = Histogram(
    "gen_ai_workflow_duration_seconds",
    "Time of an execution in a worker; waiting for people is not in it.",
    ["gen_ai_workflow_name", "error_type"],
    buckets=WORKFLOW_BUCKETS,
)
QUEUED = Histogram(
    "deskgraph_run_queue_seconds", "From when a run was due to its claim.", buckets=QUEUE_BUCKETS
)
STEPS = Histogram(
    "deskgraph_node_duration_seconds",
    "Time of a node, all its tries together.",
    ["node", "status"],
    buckets=STEP_BUCKETS,
)
STEP_ERRORS = Counter("deskgraph_node_errors", "Nodes that failed.", ["node", "error_type"])
RETRIES = Counter("deskgraph_node_retries", "Tries of nodes after their first.", ["node"])
TOOLS = Histogram(
    "gen_ai_execute_tool_duration_seconds",
    "Time of a tool's call.",
    ["gen_ai_tool_name", "error_type"],
    buckets=CALL_BUCKETS,
)
CALLS = Histogram(
    "gen_ai_client_operation_duration_seconds",
    "Time of a model call.",
    ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "error_type"],
    buckets=CALL_BUCKETS,
)
TOKENS = Histogram(
    "gen_ai_client_token_usage",
    "Tokens of a model call.",
    ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_token_type"],
    buckets=TOKEN_BUCKETS,
)
COST = Counter(
    "deskgraph_model_cost_usd",
    "US dollars that model calls cost.",
    ["node", "gen_ai_request_model"],
)
UNPRICED = Counter(
    "deskgraph_model_calls_unpriced", "Calls of unknown price.", ["gen_ai_request_model"]
)
FALLBACKS = Counter(
    "deskgraph_model_fallbacks",
    "Calls of a fallback, by why the model before it did not answer.",
    ["gen_ai_request_model", "reason"],
)
DECISIONS = Histogram(
    "deskgraph_approval_wait_seconds",
    "From the question to the decision.",
    ["kind", "verdict"],
    buckets=WAIT_BUCKETS,
)
CACHE_HITS = Counter("deskgraph_answer_cache_hits", "Runs that were answered from the cache.")
TRACES_LOST = Counter(
    "deskgraph_traces_lost", "Failures to send traces, by where they go.", ["exporter"]
)


def error_type(error: BaseException) -> str:
    """The class of an exception as a label: one of few, else `other`."""
    if isinstance(error, NodeTimeoutError):
        return "timeout"
    kind = type(error)
    return kind.__name__ if kind.__module__.split(".", 1)[0] in NAMED else "other"


def run_claimed(run: Run) -> None:
    """Note how long the run was due, by the clocks of database and worker."""
    due = max(run.queued_at, run.not_before)
    QUEUED.observe(max(0.0, (datetime.now(UTC) - due).total_seconds()))


def run_settled(ending: Ending, seconds: float) -> None:
    """Note the end of an execution that took so many seconds."""
    RUNS.labels(ending.status, ending.outcome or "").inc()
    failed = ending.status in (RunStatus.ERROR, RunStatus.TIMEOUT)
    WORKFLOWS.labels(WORKFLOW, ending.status if failed else "").observe(seconds)
    if ending.result and ending.result.get("cache_hit"):
        CACHE_HITS.inc()


def run_rescued(ending: Ending) -> None:
    """Note the end of an execution whose worker died; how long it took is not known."""
    RUNS.labels(ending.status, "").inc()


def step_ended(
    node: str, status: str, seconds: float, tries: int, error: BaseException | None
) -> None:
    """Note the end of a node's execution."""
    STEPS.labels(node, status).observe(seconds)
    if tries > 1:
        RETRIES.labels(node).inc(tries - 1)
    if error is not None:
        STEP_ERRORS.labels(node, error_type(error)).inc()


def approval_decided(approval: Approval, verdict: str) -> None:
    """Note a decision, by the clocks of database and API."""
    waited = (datetime.now(UTC) - approval.created_at).total_seconds()
    DECISIONS.labels(approval.kind, verdict).observe(max(0.0, waited))


def call_ended(provider: str, model: str, seconds: float, error: str = "") -> None:
    """Note the end of a model call; `error` names why it failed."""
    CALLS.labels("chat", provider, model, error).observe(seconds)


def call_answered(
    provider: str, model: str, node: str, tokens: Tokens, cost: Decimal | None
) -> None:
    """Note what an answer used; an unknown price is counted as such."""
    for kind, count in (("input", tokens.input), ("output", tokens.output)):
        TOKENS.labels("chat", provider, model, kind).observe(count)
    if cost is None:
        UNPRICED.labels(model).inc()
    else:
        COST.labels(node, model).inc(float(cost))


def measured(watch: Watch) -> Watch:
    """The same watch of a tool's calls, which also notes their time and how they failed."""

    async def watched(name: str, args: JsonObject, call: Callable[[], Awaitable[Any]]) -> Any:
        began, failed = perf_counter(), ""
        try:
            return await watch(name, args, call)
        except (GraphBubbleUp, AttemptLostError):
            raise
        except Exception as error:
            failed = error_type(error)
            raise
        finally:
            TOOLS.labels(name, failed).observe(perf_counter() - began)

    return watched
