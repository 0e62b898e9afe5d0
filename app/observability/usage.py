"""Counts model calls, tokens, cost and tries of every node execution, by LangGraph's task id."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from app.log import get_logger
from app.observability.prices import Prices, tokens_of

log = get_logger(__name__)


@dataclass(slots=True)
class TaskUsage:
    """What one node execution used; `cost` is None when a price is unknown."""

    tries: int = 0
    calls: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0
    cost: Decimal | None = Decimal(0)
    # The last try's run, by LangChain's id of it, which is LangSmith's.
    trace_run_id: UUID | None = None


class Asked(NamedTuple):
    """A call on its way: which node execution asked which model, and the gateway's notes on it."""

    task_id: str
    model: str | None
    notes: dict[str, Any]


UNKNOWN_CALL = Asked("", None, {})


class UsageHandler(AsyncCallbackHandler):
    """Sees every chain and model call of one execution through LangChain's callbacks."""

    run_inline = True

    def __init__(self, prices: Prices | None = None) -> None:
        self.by_task: dict[str, TaskUsage] = {}
        self.prices = prices or Prices()
        self._asked: dict[UUID, Asked] = {}

    def of(self, task_id: str) -> TaskUsage:
        """The record of a node that ended or starts again: calls that still run are given up.

        A timeout of the node tells no callback.
        """
        usage = self._record(task_id)
        for run_id in [id_ for id_, asked in self._asked.items() if asked.task_id == task_id]:
            asked = self._asked.pop(run_id)
            usage.calls.append({"model": asked.model, **asked.notes, "error": "GivenUp"})
        return usage

    async def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        """A node that starts again under the same task is another try."""
        metadata = kwargs.get("metadata") or {}
        if kwargs.get("name") == metadata.get("langgraph_node") is not None:
            usage = self.of(_task_id(metadata))
            usage.tries += 1
            usage.trace_run_id = kwargs.get("run_id")

    async def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        """Remember which node asks which model."""
        metadata = kwargs.get("metadata") or {}
        notes = metadata.get("model_call") or {}
        model = metadata.get("ls_model_name")
        self._asked[kwargs["run_id"]] = Asked(_task_id(metadata), model, notes)

    async def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Add the answer's tokens and cost to the node that asked."""
        asked = self._asked.pop(kwargs["run_id"], UNKNOWN_CALL)
        message = _message(response)
        answered = message.response_metadata.get("model_name") if message else None
        model = str(answered or asked.model or "unknown")[:200]
        tokens = tokens_of(message.usage_metadata if message else None)
        cost = self.prices.cost_usd(model, tokens, asked.model)
        usage = self._record(asked.task_id)
        usage.calls.append(
            {
                "model": model,
                **asked.notes,
                "input_tokens": tokens.input,
                "cached_tokens": tokens.cached,
                "output_tokens": tokens.output,
                "cost_usd": None if cost is None else str(cost),
            }
        )
        usage.tokens += tokens.input + tokens.output
        usage.cost = None if cost is None or usage.cost is None else usage.cost + cost

    async def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """A failed call counts as a call; what it cost is not known to be more than nothing."""
        asked = self._asked.pop(kwargs["run_id"], UNKNOWN_CALL)
        # The client's own name for it says more than ours.
        name = type(error.__cause__ or error).__name__
        failed = {"model": asked.model, **asked.notes, "error": name}
        self._record(asked.task_id).calls.append(failed)
        log.warning("model_call_failed", model=asked.model, error=name)

    def _record(self, task_id: str) -> TaskUsage:
        """The record of a node, others of whose calls may still run: `verify` makes several."""
        return self.by_task.setdefault(task_id, TaskUsage())

    def totals(self) -> tuple[int, Decimal | None]:
        """Tokens and cost of the whole execution."""
        cost: Decimal | None = Decimal(0)
        for usage in self.by_task.values():
            cost = None if cost is None or usage.cost is None else cost + usage.cost
        return sum(usage.tokens for usage in self.by_task.values()), cost


def _task_id(metadata: dict[str, Any]) -> str:
    """`node:task` is the last part of the checkpoint namespace."""
    namespace = str(metadata.get("langgraph_checkpoint_ns", ""))
    return namespace.rsplit("|", 1)[-1].rpartition(":")[2]


def _message(response: LLMResult) -> AIMessage | None:
    generation = response.generations[0][0] if response.generations else None
    message = generation.message if isinstance(generation, ChatGeneration) else None
    return message if isinstance(message, AIMessage) else None
