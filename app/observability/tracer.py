"""The tracer of one execution: LangChain's, where a pause is no error and costs are our own."""

from collections import Counter
from typing import Any, Self
from uuid import UUID

from langchain_core.tracers.langchain import LangChainTracer
from langchain_core.tracers.schemas import Run
from langgraph.errors import GraphBubbleUp, GraphDrained, GraphInterrupt

from app.observability.prices import Prices, tokens_of
from app.observability.trace_parent import TraceParent
from graphs.suspend import AttemptLostError, RunPausedError

# How an execution ends that stops without a fault; the first class that fits.
STOPS: tuple[tuple[type[BaseException], str], ...] = (
    (GraphInterrupt, "interrupted"),
    (GraphDrained, "handed_back"),
    (RunPausedError, "paused"),
    (AttemptLostError, "lost"),
    (GraphBubbleUp, "waiting"),
)


class ExecutionTracer(LangChainTracer):
    """Names how the execution ended on its root, numbers tries, and adds what each call cost."""

    prices: Prices
    tries: Counter[str]
    parent: TraceParent | None
    # Our own root in each trace: under a caller's run it is not the trace's.
    roots: dict[UUID, str]

    @classmethod
    def of(cls, prices: Prices, parent: TraceParent | None, **parameters: Any) -> Self:
        """A tracer with the parameters of LangChain's, whose root stands under `parent`."""
        tracer = cls(**parameters)
        tracer.prices, tracer.tries = prices, Counter()
        tracer.parent, tracer.roots = parent, {}
        return tracer

    def copy_with_metadata_defaults(self, **parameters: Any) -> LangChainTracer:
        """LangGraph makes copies for parts of a run; they count together."""
        copy = super().copy_with_metadata_defaults(**parameters)
        assert isinstance(copy, ExecutionTracer), "a copy is of the same class"
        copy.prices, copy.tries = self.prices, self.tries
        copy.parent, copy.roots = self.parent, self.roots
        return copy

    def _start_trace(self, run: Run) -> None:
        """Send the run though LangSmith is off for all else of the process (see `Tracing`)."""
        is_root = run.parent_run_id is None
        if is_root and (parent := self.parent):
            self.order_map[parent.run_id] = (parent.trace_id, parent.place)
            run.parent_run_id = parent.run_id
        super()._start_trace(run)
        run.extra.pop("__disabled", None)
        if is_root:
            self.roots[run.trace_id] = str(run.id)

    def on_chain_start(
        self, serialized: dict[str, Any], inputs: dict[str, Any], **kwargs: Any
    ) -> Any:
        """Number the tries of a node, which LangGraph shows as runs of one name."""
        metadata = kwargs.get("metadata") or {}
        if kwargs.get("name") == metadata.get("langgraph_node") is not None:
            task = str(metadata.get("langgraph_checkpoint_ns"))
            self.tries[task] += 1
            kwargs["metadata"] = {**metadata, "try": self.tries[task]}
        return super().on_chain_start(serialized, inputs, **kwargs)

    def on_chain_end(self, outputs: dict[str, Any], *, run_id: UUID, **kwargs: Any) -> Any:
        """Say on the root that the execution succeeded, unless a node said how else it ended."""
        self._say_on_root(run_id, "success", of_node=False)
        return super().on_chain_end(outputs, run_id=run_id, **kwargs)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> Any:
        """End what paused or was handed back as finished, with what it asks as its output."""
        outcome = _stop_of(error)
        if outcome is None:
            self._say_on_root(run_id, "error", of_node=False)
            return super().on_chain_error(error, run_id=run_id, **kwargs)
        self._say_on_root(run_id, outcome, of_node=True)
        return super().on_chain_end(_asked(error), run_id=run_id)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> Any:
        """A tool that waits, or whose attempt is over, did not fail."""
        if (outcome := _stop_of(error)) is None:
            return super().on_tool_error(error, run_id=run_id, **kwargs)
        return super().on_tool_end({"stopped": outcome}, run_id=run_id)

    def _on_llm_end(self, run: Run) -> None:
        """Add our price of the call, which LangSmith sums up over nodes and traces."""
        # Not asked of the handler that counts: which of the two sees a call first is not fixed.
        message = _message_of(run)
        usage: Any = message.get("usage_metadata")
        asked = run.metadata.get("ls_model_name")
        answered = (message.get("response_metadata") or {}).get("model_name")
        cost = self.prices.of_call(str(answered or asked or "unknown"), tokens_of(usage), asked)
        if usage and cost is not None:
            usage["input_cost"] = float(cost.input)
            usage["output_cost"] = float(cost.output)
            usage["total_cost"] = float(cost.input + cost.output)
        super()._on_llm_end(run)

    def _say_on_root(self, run_id: UUID, outcome: str, *, of_node: bool) -> None:
        run = self.run_map.get(str(run_id))
        root = self.run_map.get(self.roots.get(run.trace_id, "")) if run else None
        if root is None or (root is not run and not of_node) or "run_outcome" in root.metadata:
            return
        root.add_metadata({"run_outcome": outcome})
        root.add_tags([f"outcome:{outcome}"])


def _stop_of(error: BaseException) -> str | None:
    return next((outcome for kind, outcome in STOPS if isinstance(error, kind)), None)


def _asked(error: BaseException) -> dict[str, Any]:
    if not isinstance(error, GraphInterrupt):
        return {}
    return {"__interrupt__": [item.value for item in error.args[0]] if error.args else []}


def _message_of(run: Run) -> dict[str, Any]:
    """The answer, whose usage LangChain is about to copy to the run's metadata."""
    for batch in (run.outputs or {}).get("generations", []):
        for generation in batch:
            message: Any = generation.get("message", {}).get("kwargs")
            if isinstance(message, dict):
                return message
    return {}
