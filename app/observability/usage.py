"""Counts model calls, tokens, cost and tries of every node execution, by LangGraph's task id."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from structlog.contextvars import bind_contextvars

from app.log import get_logger
from app.observability import metrics
from app.observability.prices import Prices, Tokens, tokens_of

log = get_logger(__name__)

# What asks a model outside of the graph.
OUTSIDE = "summary"
NO_TOKENS = Tokens(0, 0, 0)
Record = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class TaskUsage:
    """What one node execution used; `cost` is None when a price is unknown."""

    tries: int = 0
    tokens: int = 0
    cost: Decimal | None = Decimal(0)


class Asked(NamedTuple):
    """A call on its way: which node execution asked which model, and the gateway's notes on it."""

    task_id: str
    node: str
    number: int
    model: str | None
    prompt_version: str | None
    notes: dict[str, Any]
    provider: str
    began: datetime

    def ended(self, error: str = "") -> None:
        """Count the call in the metrics."""
        if self.model:
            seconds = (datetime.now(UTC) - self.began).total_seconds()
            metrics.call_ended(self.provider, self.model, seconds, error)


class UsageHandler(AsyncCallbackHandler):
    """Sees every chain and model call of one execution through LangChain's callbacks.

    Each call goes to `record` when it ends, as a row of `model_calls` without its owner.
    """

    run_inline = True

    def __init__(self, prices: Prices | None = None, record: Record | None = None) -> None:
        self.by_task: dict[str, TaskUsage] = {}
        self.prices = prices or Prices()
        self._write = record
        self._asked: dict[UUID, Asked] = {}
        # Called with a node's task and its number when it is tried again.
        self.tried_again: Callable[[str, int], None] = lambda _task, _number: None

    def of(self, task_id: str) -> TaskUsage:
        """The record of a node that ended or starts again: calls that still run are given up.

        A timeout of the node calls no callback.
        """
        self._give_up([id_ for id_, asked in self._asked.items() if asked.task_id == task_id])
        return self._record(task_id)

    def give_up(self) -> None:
        """The execution is over, and with it every call that still runs."""
        self._give_up(list(self._asked))

    async def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        """A node that starts again under the same task is another try."""
        metadata = kwargs.get("metadata") or {}
        if kwargs.get("name") == metadata.get("langgraph_node") is not None:
            # Until the node's own asyncio task ends; `run_inline` says that this is within it.
            bind_contextvars(node=kwargs["name"])
            usage = self.of(_task_id(metadata))
            usage.tries += 1
            if usage.tries > 1:
                self.tried_again(_task_id(metadata), usage.tries)

    async def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        """Remember which node asks which model."""
        asked = self._asked_by(kwargs.get("metadata") or {})
        self._asked[kwargs["run_id"]] = asked
        if asked.notes.get("fallback"):
            reason = str(asked.notes.get("reason") or "")
            metrics.FALLBACKS.labels(asked.model or "unknown", reason).inc()

    async def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Add the answer's tokens and cost to the node that asked."""
        asked = self._asked.pop(kwargs["run_id"], None) or self._asked_by({})
        message = _message(response)
        answered = message.response_metadata.get("model_name") if message else None
        model = str(answered or asked.model or "unknown")[:200]
        tokens = tokens_of(message.usage_metadata if message else None)
        cost = self.prices.cost_usd(model, tokens, asked.model)
        asked.ended()
        metrics.call_answered(asked.provider, asked.model or "unknown", asked.node, tokens, cost)
        usage = self._record(asked.task_id)
        usage.tokens += tokens.input + tokens.output
        usage.cost = None if cost is None or usage.cost is None else usage.cost + cost
        self._note(kwargs["run_id"], asked, tokens, cost, answered=model)

    async def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """A failed call counts as a call; what it cost is not known to be more than nothing."""
        asked = self._asked.pop(kwargs["run_id"], None) or self._asked_by({})
        # The client's own name for it says more than ours.
        name = type(error.__cause__ or error).__name__
        asked.ended(metrics.error_type(error.__cause__ or error))
        self._note(kwargs["run_id"], asked, NO_TOKENS, Decimal(0), error=name)
        log.warning("model_call_failed", model=asked.model, error=name)

    def _give_up(self, run_ids: list[UUID]) -> None:
        for run_id in run_ids:
            asked = self._asked.pop(run_id)
            asked.ended("timeout")
            self._note(run_id, asked, NO_TOKENS, Decimal(0), error="GivenUp")

    def _asked_by(self, metadata: dict[str, Any]) -> Asked:
        task_id = _task_id(metadata)
        return Asked(
            task_id,
            str(metadata.get("langgraph_node", OUTSIDE)),
            max(self._record(task_id).tries, 1),
            metadata.get("ls_model_name"),
            metadata.get("prompt_version"),
            metadata.get("model_call") or {},
            str(metadata.get("ls_provider") or "unknown"),
            datetime.now(UTC),
        )

    def _note(
        self, run_id: UUID, asked: Asked, tokens: Tokens, cost: Decimal | None, **ended: str
    ) -> None:
        if self._write is None:
            return
        took = datetime.now(UTC) - asked.began
        self._write(
            {
                "id": run_id,
                "task_id": asked.task_id,
                "node": asked.node,
                "number": asked.number,
                "role": asked.notes.get("role"),
                "tier": asked.notes.get("tier"),
                "fallback": asked.notes.get("fallback", False),
                "repair": asked.notes.get("repair", False),
                "reason": asked.notes.get("reason"),
                "asked": asked.model,
                "answered": ended.get("answered"),
                "prompt_version": asked.prompt_version,
                "input_tokens": tokens.input,
                "cached_tokens": tokens.cached,
                "output_tokens": tokens.output,
                "cost_usd": cost,
                "error": ended.get("error"),
                "started_at": asked.began,
                "duration_ms": round(took.total_seconds() * 1000),
            }
        )

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
