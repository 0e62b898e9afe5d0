"""Execute a run: through the graph from its last checkpoint until it pauses or ends."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl
from langgraph.types import Interrupt

from app.db.core.availability import is_unavailable
from app.db.runs.transitions import Ending
from app.db.tables.runs import Run
from app.execution.graph_input import NOTHING, next_input
from app.execution.run_error import run_error, timed_out
from app.execution.trace import traced_config
from app.execution.wiring import Service, context_for
from app.lifecycle import RunStatus
from app.log import get_logger
from app.observability.call_log import CallLog
from app.observability.step_log import StepLog
from app.observability.usage import UsageHandler
from graphs.llm.errors import ModelAwaitedError
from graphs.reply.question_key import question_sha256
from graphs.state import SupportState
from graphs.suspend import RunPausedError, RunWaitsError
from graphs.text.new_text.ticket import shown_parts
from tools.errors import RunLostError

log = get_logger(__name__)

# The longest way through the graph: three drafts, and a plan of many steps.
MAX_STEPS = 100
# After so long an execution ends with its current step; a mailing has taken fewer steps by then.
HAND_BACK_SECONDS = 150
# How soon a run is tried again that lacks something just now, such as the database.
RETRY_SECONDS = 1
LONGEST_PAUSE_SECONDS = 60


@dataclass(slots=True)
class Seen:
    """The graph's newest state as its stream shows it; reading it from the database costs 2 ms."""

    state: dict[str, Any] | None = None
    interrupts: tuple[Interrupt, ...] = ()

    def note(self, mode: str, chunk: Any) -> None:
        """Take one item of `stream_mode=["tasks", "checkpoints"]`."""
        if mode == "checkpoints":
            self.state = chunk["values"]
        elif chunk.get("interrupts"):
            self.interrupts += tuple(
                Interrupt(value=asked["value"], id=asked["id"]) for asked in chunk["interrupts"]
            )


async def execute(service: Service, run: Run, control: RunControl) -> Ending:
    """Advance a claimed run; its checkpoints are durable before an effect, and when it returns.

    Raises:
        asyncio.CancelledError: the caller cancelled; a begun effect was finished first.
        RunLostError: another worker has the run.
        RunWaitsError: something it needs is not there just now; the run can be claimed again.
        Exception: the database is away; nothing is lost, the run can be claimed again.
    """
    held = (run.tenant_id, run.id, run.attempt)
    calls = CallLog(service.commits, *held)
    usage = UsageHandler(service.prices, calls.note)
    steps = StepLog(service.commits, *held, usage, root=run.trace_id if run.traced else None)
    usage.tried_again = steps.try_again
    config, seen = _config(run, usage), Seen()
    holder = (str(run.id), run.attempt)
    try:
        async with service.saver.behind(holder):
            status, error = await _advance(service, run, config, control, steps, seen)
            ended = status is RunStatus.SUCCESS
            usage.give_up()
            await asyncio.gather(
                steps.flush(ended=ended), calls.flush(), service.saver.durable(holder)
            )
    except BaseException:
        usage.give_up()
        await asyncio.gather(steps.decided(), calls.decided())
        raise
    if status is not RunStatus.SUCCESS or seen.state is None:
        # Stopped between steps: the stream does not show yet what parallel nodes returned.
        at_end = await service.graph.aget_state(_bare(config))
        seen = Seen(at_end.values, at_end.interrupts)
    if status is RunStatus.SUCCESS and seen.interrupts:
        status = RunStatus.INTERRUPTED
    return _ending(status, error, seen, usage)


def _ending(
    status: RunStatus, error: dict[str, Any] | None, seen: Seen, usage: UsageHandler
) -> Ending:
    """The ending of an execution by where the graph stands."""
    state = cast("SupportState", seen.state or {})
    outcome = state.get("outcome") if status is RunStatus.SUCCESS else None
    # A run pauses at one gate at a time.
    [gate] = seen.interrupts if status is RunStatus.INTERRUPTED else (None,)
    # Only an answer from the knowledge base can be one for others.
    reusable = outcome == "answered" and state.get("kb_version") is not None
    tokens, cost = usage.totals()
    return Ending(
        status,
        outcome=outcome,
        error=error,
        result=run_result(state),
        tokens=tokens,
        cost_usd=cost,
        interrupt_id=gate.id if gate else None,
        question=gate.value if gate else None,
        reusable=state if reusable else None,
    )


def run_result(state: SupportState) -> dict[str, Any]:
    """The part of the graph's state that callers see on the run."""
    return {
        "triage": state.get("triage"),
        "cache_hit": state.get("cache_hit", False),
        "plan": state.get("plan"),
        "tier": state.get("tier"),
        "escalation": state.get("escalation"),
        "handoff": state.get("handoff"),
        "reply": state.get("reply"),
        "verdicts": state.get("verdicts", []),
        "ignored": state.get("ignored"),
        "set_apart": shown_parts(state["ticket"]) if "ticket" in state else [],
        # The text that a replay would have sent; its `reply` is what the customer was sent first.
        "draft": state.get("draft"),
        # A bad rating, or a person's correction, drops the answer that is kept under this key.
        "question": question_sha256(ticket).hex() if (ticket := state.get("ticket")) else None,
    }


def ending_of(run: Run, execution: asyncio.Task[Ending], *, cancelled: bool) -> Ending:
    """The ending of an execution that is over; `cancelled` says that a caller asked for that."""
    if execution.cancelled():
        return Ending(RunStatus.CANCELLED if cancelled else RunStatus.PENDING)
    failure = execution.exception()
    if failure is None:
        # Also when a cancel came too late: a reply that was sent stays sent.
        return execution.result()
    if cancelled:
        return Ending(RunStatus.CANCELLED)
    if isinstance(failure, RunLostError):
        # Another attempt holds the run, and this ending changes nothing; or it was cancelled
        # before the heartbeat noticed, and settling it sees that.
        return Ending(RunStatus.PENDING)
    if is_unavailable(failure) or isinstance(failure, RunWaitsError):
        later = datetime.now(UTC) + timedelta(seconds=pause_seconds(run, failure))
        return Ending(RunStatus.PENDING, not_before=later)
    log.error("run_failed", run_id=str(run.id), exc_info=failure)
    return Ending(RunStatus.ERROR, error=run_error(failure))


def pause_seconds(run: Run, failure: BaseException) -> int:
    """How long the run waits: for a model longer each time, since its outage may last for hours."""
    if isinstance(failure, ModelAwaitedError):
        return min(RETRY_SECONDS << min(run.attempt, 10), LONGEST_PAUSE_SECONDS)
    return RETRY_SECONDS


def _config(run: Run, usage: UsageHandler) -> dict[str, Any]:
    return {
        "run_id": run.trace_id,
        "recursion_limit": MAX_STEPS,
        "configurable": {"thread_id": str(run.thread_id)},
        "callbacks": [usage],
        "metadata": {
            "run_id": str(run.id),
            "ticket_id": run.ticket_id,
            "tenant_id": run.tenant_id,
            "attempt": run.attempt,
        },
    }


async def _advance(
    service: Service,
    run: Run,
    config: dict[str, Any],
    control: RunControl,
    steps: StepLog,
    seen: Seen,
) -> tuple[RunStatus, dict[str, Any] | None]:
    """The status that the graph's end means, with the error if it is one."""
    # Work of many steps, a mailing for one, is handed back in time and goes on as a new execution.
    enough = min(service.settings.run_timeout_seconds / 2, HAND_BACK_SECONDS)
    handing_back = asyncio.get_running_loop().call_later(enough, control.request_drain)
    try:
        async with asyncio.timeout(service.settings.run_timeout_seconds):
            await _stream(service, run, config, control, steps, seen)
        return RunStatus.SUCCESS, None
    except (GraphDrained, RunPausedError):
        # Paused: no worker claims it until that is over, and ending it queues the run.
        return RunStatus.PENDING, None
    except TimeoutError:
        return RunStatus.TIMEOUT, timed_out(service.settings.run_timeout_seconds)
    except (RunLostError, RunWaitsError):
        raise
    except Exception as failure:
        if is_unavailable(failure):
            # The run itself is fine, and another attempt goes on.
            raise
        log.exception("run_failed", run_id=str(run.id))
        return RunStatus.ERROR, run_error(failure)
    finally:
        handing_back.cancel()


async def _stream(
    service: Service, run: Run, config: Any, control: RunControl, steps: StepLog, seen: Seen
) -> None:
    context, begins = await context_for(service, run)
    writing = _writing(config)
    while True:
        following, stands = await next_input(service, run, context.policy, begins, writing)
        seen.state, seen.interrupts = (stands.values, stands.interrupts) if stands else (None, ())
        if following is NOTHING:
            return
        seen.interrupts = ()
        if stands is None and not begins.stored:
            service.saver.begin_empty((str(run.id), run.attempt))
        steps.begin_at(stands and stands.config["configurable"].get("checkpoint_id"))
        config = traced_config(service, run, context.policy, following, config)
        async for mode, chunk in service.graph.astream(
            following,
            config,
            context=context,
            stream_mode=["tasks", "checkpoints"],
            durability="sync",
            control=control,
        ):
            steps.note(str(mode), chunk)
            seen.note(str(mode), chunk)
        if not run.dry_run:
            return
        # A dry run answers its own gates, and goes on.


def _writing(config: dict[str, Any]) -> Any:
    """The thread to read and write, and the attempt that does so, which the fence reads."""
    return {"configurable": config["configurable"], "metadata": config["metadata"]}


def _bare(config: dict[str, Any]) -> Any:
    return {"configurable": config["configurable"]}
