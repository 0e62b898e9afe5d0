"""Counts model calls, tokens, cost and tries of every node execution, by LangGraph's task id."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from app.observability.prices import cost_usd


@dataclass(slots=True)
class TaskUsage:
    """What one node execution used; `cost` is None when a price is unknown."""

    tries: int = 0
    calls: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0
    cost: Decimal | None = Decimal(0)


class UsageHandler(AsyncCallbackHandler):
    """Sees every chain and model call of one execution through LangChain's callbacks."""

    run_inline = True

    def __init__(self) -> None:
        self.by_task: dict[str, TaskUsage] = {}
        self._task_of_call: dict[UUID, str] = {}

    def of(self, task_id: str) -> TaskUsage:
        """The record of a node execution."""
        return self.by_task.setdefault(task_id, TaskUsage())

    async def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        """A node that starts again under the same task is another try."""
        metadata = kwargs.get("metadata") or {}
        if kwargs.get("name") == metadata.get("langgraph_node") is not None:
            self.of(_task_id(metadata)).tries += 1

    async def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        """Remember which node asks."""
        self._task_of_call[kwargs["run_id"]] = _task_id(kwargs.get("metadata") or {})

    async def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Add the answer's tokens and cost to the node that asked."""
        usage = self.of(self._task_of_call.pop(kwargs["run_id"], ""))
        message = _message(response)
        spent: Any = (message.usage_metadata if message else None) or {}
        model = (
            str(message.response_metadata.get("model_name", "unknown")) if message else "unknown"
        )
        cached = spent.get("input_token_details", {}).get("cache_read", 0) or 0
        tokens_in, tokens_out = spent.get("input_tokens", 0), spent.get("output_tokens", 0)
        cost = cost_usd(model, tokens_in, tokens_out, cached) if spent else None
        usage.calls.append(
            {
                "model": model,
                "input_tokens": tokens_in,
                "cached_tokens": cached,
                "output_tokens": tokens_out,
                "cost_usd": None if cost is None else str(cost),
            }
        )
        usage.tokens += tokens_in + tokens_out
        usage.cost = None if cost is None or usage.cost is None else usage.cost + cost

    async def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """A failed call counts as a call; what it cost is not known to be more than nothing."""
        usage = self.of(self._task_of_call.pop(kwargs["run_id"], ""))
        usage.calls.append({"model": None, "error": type(error).__name__})

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
