"""Counts model calls, tokens, cost and tries of every node execution, by LangGraph's task id."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from app.log import get_logger
from app.observability.prices import cost_usd

log = get_logger(__name__)

# More than any model reads; a server that reports more reports nonsense.
MAX_TOKENS = 100_000_000


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
        self._asked: dict[UUID, tuple[str, str | None]] = {}

    def of(self, task_id: str) -> TaskUsage:
        """The record of a node execution; a call that its node no longer waits for is given up.

        A node asks one question at a time, and a timeout of the node tells no callback.
        """
        usage = self.by_task.setdefault(task_id, TaskUsage())
        for run_id in [id_ for id_, (asker, _) in self._asked.items() if asker == task_id]:
            _, model = self._asked.pop(run_id)
            usage.calls.append({"model": model, "error": "GivenUp"})
        return usage

    async def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        """A node that starts again under the same task is another try."""
        metadata = kwargs.get("metadata") or {}
        if kwargs.get("name") == metadata.get("langgraph_node") is not None:
            self.of(_task_id(metadata)).tries += 1

    async def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        """Remember which node asks which model."""
        metadata = kwargs.get("metadata") or {}
        self._asked[kwargs["run_id"]] = _task_id(metadata), metadata.get("ls_model_name")

    async def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Add the answer's tokens and cost to the node that asked."""
        task_id, asked = self._asked.pop(kwargs["run_id"], ("", None))
        message = _message(response)
        answered = message.response_metadata.get("model_name") if message else None
        model = str(answered or asked or "unknown")[:200]
        tokens_in, cached, tokens_out = counts = _counts(message)
        cost = cost_usd(model, *counts)
        usage = self.of(task_id)
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
        task_id, asked = self._asked.pop(kwargs["run_id"], ("", None))
        self.of(task_id).calls.append({"model": asked, "error": type(error).__name__})
        log.warning("model_call_failed", model=asked, error=type(error).__name__)

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


def _counts(message: AIMessage | None) -> tuple[int, int, int]:
    """Input, cached and output tokens as reported; 0 for what cannot be a number of tokens."""
    spent: Any = (message.usage_metadata if message else None) or {}
    cached = (spent.get("input_token_details") or {}).get("cache_read")
    reported = (spent.get("input_tokens"), cached, spent.get("output_tokens"))
    tokens_in, cached, tokens_out = (
        n if isinstance(n, int) and 0 <= n <= MAX_TOKENS else 0 for n in reported
    )
    return tokens_in, cached, tokens_out


def _message(response: LLMResult) -> AIMessage | None:
    generation = response.generations[0][0] if response.generations else None
    message = generation.message if isinstance(generation, ChatGeneration) else None
    return message if isinstance(message, AIMessage) else None
