"""The tracer of one execution: notes runs of LangChain's as they begin and end, for the senders.

It is called within the event loop for every node, router, tool and model call, so it only keeps
references; texts are redacted and written by a sender's thread.
"""

import traceback
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langgraph.errors import GraphBubbleUp, GraphDrained, GraphInterrupt
from uuid_utils.compat import uuid7

from app.observability.prices import Prices, tokens_of
from app.observability.trace_feedback import feedback_of
from app.observability.trace_run import OF_TRY, Execution, Kind, TracedRun, node_run_id
from app.observability.trace_sender import Begun, Ended, Item, TraceSender
from graphs.suspend import AttemptLostError, RunPausedError

# How an execution ends that stops without a fault; the first class that fits.
STOPS: tuple[tuple[type[BaseException], str], ...] = (
    (GraphInterrupt, "interrupted"),
    (GraphDrained, "handed_back"),
    (RunPausedError, "paused"),
    (AttemptLostError, "lost"),
    (GraphBubbleUp, "waiting"),
)
# LangChain's own parts around a model call, and LangGraph's way from a node that failed to the
# next. They say nothing, unless something failed in them that no other run shows.
WRAPPERS = ("Runnable", "__error_handler__")


class ExecutionTracer(BaseCallbackHandler):
    """Names how the execution ended on its root, numbers tries, and adds what each call cost."""

    # Else LangChain calls it in a thread.
    run_inline = True

    def __init__(self, execution: Execution, senders: list[TraceSender], prices: Prices) -> None:
        self._execution = execution
        self._senders = senders
        self._prices = prices
        self._runs = execution.open
        # The last failure that a run shows, by its identity.
        self._failure: int | None = None

    def on_chain_start(
        self, serialized: dict[str, Any] | None, inputs: Any, *, run_id: UUID, **kwargs: Any
    ) -> None:
        """A root, a node, a router or a wrapper begins."""
        run = self._begin(run_id, "chain", _name_of(serialized, kwargs), inputs, kwargs)
        is_node = run.name == run.metadata.get("langgraph_node")
        run.hidden = run.parent is not None and run.name.startswith(WRAPPERS)
        if is_node and run.parent:
            self._number(run)
        if run.parent is None:
            self._go_on(run)
        if run.parent is None or (is_node and not run.hidden):
            self._put(Begun(run))

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:
        """The root succeeded, unless a node said how else the execution ended."""
        if (run := self._runs.pop(run_id, None)) is None or run.hidden:
            return
        if run.parent is not None:
            self._end(run, outputs)
            return
        _say_on_root(run, "success")
        self._end(run, outputs)
        for said in feedback_of(run):
            self._put(said)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """What paused or was handed back has ended, with what it asks as its output."""
        if (run := self._runs.pop(run_id, None)) is None:
            return
        outcome = stop_of(error)
        if outcome is None:
            if run.parent is None:
                _say_on_root(run, "error")
            if not (run.hidden and id(error) == self._failure):
                self._end(run, None, error)
        elif not run.hidden:
            _say_on_root(run.root, outcome)
            self._end(run, _asked(error))

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        """A model is asked."""
        self._begin(run_id, "llm", _name_of(serialized, kwargs), messages, kwargs)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        """It answered; its price is ours, which LangSmith sums up over nodes and traces."""
        if run := self._runs.pop(run_id, None):
            run.usage = self._usage_of(run, response)
            self._end(run, response)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """It did not answer, or is not waited for any more."""
        if run := self._runs.pop(run_id, None):
            self._end(run, None, error)

    def begin_tool(self, parent_run_id: UUID | None, name: str, args: Any) -> TracedRun:
        """A tool is called by the node of that run."""
        run = self._new(uuid7(), parent_run_id, "tool", name, args)
        if run.parent:
            run.metadata = {k: v for k, v in run.parent.metadata.items() if k not in OF_TRY}
        return run

    def end_tool(self, run: TracedRun, result: Any, error: BaseException | None = None) -> None:
        """It ended; one that waits, or whose attempt is over, did not fail."""
        self._runs.pop(run.id, None)
        if error is not None and (outcome := stop_of(error)):
            self._end(run, {"stopped": outcome})
        else:
            self._end(run, {"output": result} if error is None else None, error)

    def _begin(
        self, run_id: UUID, kind: Kind, name: str, inputs: Any, said: dict[str, Any]
    ) -> TracedRun:
        run = self._new(run_id, said.get("parent_run_id"), kind, name, inputs)
        run.metadata, run.tags = said.get("metadata") or {}, said.get("tags") or []
        self._runs[run_id] = run
        return run

    def _new(
        self, run_id: UUID, parent_run_id: UUID | None, kind: Kind, name: str, inputs: Any
    ) -> TracedRun:
        parent = self._runs.get(parent_run_id) if parent_run_id else None
        while parent is not None and parent.hidden:
            parent = parent.parent
        run = TracedRun(run_id, self._execution, parent, name, kind, inputs, {}, [])
        self._runs[run_id] = run
        return run

    def _go_on(self, root: TracedRun) -> None:
        """Of an execution that goes on after its own answer the root stays one run."""
        first = self._execution.root
        if first is None:
            self._execution.root = root
        elif first.id == root.id:
            root.start, root.inputs, root.again = first.start, first.inputs, True

    def _number(self, run: TracedRun) -> None:
        """Number the tries of a node, which LangGraph shows as runs of one name."""
        task = str(run.metadata.get("langgraph_checkpoint_ns"))
        tries = self._execution.tries
        tries[task] += 1
        run.metadata = {**run.metadata, "try": tries[task]}
        run.id = node_run_id(run.root.id, task_id_of(task), tries[task])

    def _end(self, run: TracedRun, outputs: Any, error: BaseException | None = None) -> None:
        if run.end is not None:
            # A sender ended it as stopped, with an execution that is over.
            return
        run.outputs = outputs
        if error is not None:
            run.error, self._failure = _written(error), id(error)
        run.end = datetime.now(UTC)
        self._put(Ended(run))

    def _put(self, item: Item) -> None:
        for sender in self._senders:
            sender.put(item)

    def _usage_of(self, run: TracedRun, response: LLMResult) -> dict[str, Any] | None:
        """Tokens and prices of a call; None when the server counted nothing."""
        message = message_of(response)
        if message is None or not message.usage_metadata:
            return None
        usage: dict[str, Any] = {**message.usage_metadata}
        asked = run.metadata.get("ls_model_name")
        answered = message.response_metadata.get("model_name")
        model = str(answered or asked or "unknown")
        # Not asked of the handler that counts: which of the two sees a call first is not fixed.
        if (cost := self._prices.of_call(model, tokens_of(usage), asked)) is not None:
            usage["input_cost"] = float(cost.input)
            usage["output_cost"] = float(cost.output)
            usage["total_cost"] = float(cost.input + cost.output)
        return usage


def stop_of(error: BaseException) -> str | None:
    """How an execution ended that this stopped; None for a fault."""
    return next((outcome for kind, outcome in STOPS if isinstance(error, kind)), None)


def task_id_of(namespace: str) -> str:
    """LangGraph's id of a node's execution: `node:task` is the last part of its namespace."""
    return namespace.rsplit("|", 1)[-1].rpartition(":")[2]


def message_of(response: LLMResult) -> AIMessage | None:
    """The answer, if it is a chat model's."""
    generation = response.generations[0][0] if response.generations else None
    message = generation.message if isinstance(generation, ChatGeneration) else None
    return message if isinstance(message, AIMessage) else None


def _say_on_root(root: TracedRun, outcome: str) -> None:
    if "run_outcome" not in root.metadata:
        root.metadata = {**root.metadata, "run_outcome": outcome}
        root.tags = [*root.tags, f"outcome:{outcome}"]


def _asked(error: BaseException) -> dict[str, Any]:
    if not isinstance(error, GraphInterrupt):
        return {}
    return {"__interrupt__": [item.value for item in error.args[0]] if error.args else []}


def _written(error: BaseException) -> str:
    """The class first, as senders rely on, then where it came from."""
    name = type(error).__name__
    try:
        said = repr(error)
    except Exception:  # noqa: BLE001  # a tool's own class may fail to describe itself
        said = ""
    # Some, as pydantic's, say something else first.
    said = said if said.startswith(f"{name}(") else f"{name}: {said}"
    return f"{said}\n{''.join(traceback.format_exception(error))}".strip()


def _name_of(serialized: dict[str, Any] | None, said: dict[str, Any]) -> str:
    """The run's own name, or that of its class."""
    made = serialized or {}
    return str(said.get("name") or made.get("name") or (made.get("id") or ["unnamed"])[-1])
