"""What model calls are said to have cost, whatever a server reports."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from app.observability.prices import Prices, Tokens
from app.observability.usage import UsageHandler

BILLING = {
    "langgraph_node": "billing",
    "langgraph_checkpoint_ns": "billing:task-1",
    "ls_model_name": "gpt-5-mini",
}


def watched() -> tuple[UsageHandler, list[dict[str, Any]]]:
    """A handler, and the calls that it records."""
    calls: list[dict[str, Any]] = []
    return UsageHandler(record=calls.append), calls


def noted(call: dict[str, Any], *names: str) -> dict[str, Any]:
    """A part of what is recorded of a call."""
    return {name: call[name] for name in names}


async def ask(handler: UsageHandler) -> dict[str, Any]:
    """A call begins; what distinguishes its callbacks."""
    call = {"run_id": uuid4()}
    await handler.on_chat_model_start({}, [], metadata=BILLING, **call)
    return call


def test_price_counts_cached_tokens_at_their_own_rate() -> None:
    """The same question costs less when the provider had it in its cache."""
    fresh = Prices().cost_usd("gpt-5-mini", Tokens(1000, 0, 100))
    cached = Prices().cost_usd("gpt-5-mini", Tokens(1000, 800, 100))
    assert fresh is not None
    assert cached is not None
    assert 0 < cached < fresh


@pytest.mark.parametrize(
    ("model", "tokens", "cost"),
    [
        ("mystery-1", (10, 0, 10), None),
        ("gpt-5-mini", (0, 0, 0), None),
        ("gpt-5-mini", (10, 50, 10), None),
        ("offline", (0, 0, 0), Decimal(0)),
    ],
)
def test_only_the_offline_model_is_free(
    model: str, tokens: tuple[int, int, int], cost: Decimal | None
) -> None:
    """What cannot be priced is None."""
    assert Prices().cost_usd(model, Tokens(*tokens)) == cost


async def test_call_without_a_price_leaves_the_total_unknown() -> None:
    """A sum with an unknown part is unknown, its tokens are not."""
    handler, made = watched()
    for name in ("gpt-5-mini", "mystery-1"):
        message = AIMessage(
            "",
            response_metadata={"model_name": name},
            usage_metadata={"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
        )
        answer = LLMResult(generations=[[ChatGeneration(message=message)]])
        await handler.on_llm_end(answer, **await ask(handler))
    assert handler.totals() == (30, None)
    assert [call["cost_usd"] is None for call in made] == [False, True]
    assert handler.of("task-1").cost is None


async def test_calls_that_a_node_makes_at_once_all_count() -> None:
    """`verify` asks about every claim at once; the first answer ends no other call."""
    handler, made = watched()
    message = AIMessage(
        "", usage_metadata={"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    )
    answer = LLMResult(generations=[[ChatGeneration(message=message)]])
    calls = [await ask(handler) for _ in range(3)]
    await handler.on_llm_error(TimeoutError(), **calls[0])
    for call in calls[1:]:
        await handler.on_llm_end(answer, **call)
    assert [call["asked"] for call in made] == ["gpt-5-mini"] * 3
    assert [call["id"] for call in made] == [call["run_id"] for call in calls]
    assert [call["error"] for call in made] == ["TimeoutError", None, None]
    assert None not in [call["cost_usd"] for call in made[1:]]
    assert set(handler.by_task) == {"task-1"}


async def test_call_that_a_node_gave_up_is_shown() -> None:
    """A node's timeout tells no callback, yet its call does not vanish."""
    handler, made = watched()
    await ask(handler)
    handler.of("task-1")
    handler.give_up()
    assert [noted(call, "asked", "error", "task_id") for call in made] == [
        {"asked": "gpt-5-mini", "error": "GivenUp", "task_id": "task-1"}
    ]


async def test_notes_of_the_gateway_stand_on_the_call() -> None:
    """Which role was asked, and that another model answers for it and why."""
    handler, made = watched()
    notes = {"role": "strong", "fallback": True, "reason": "circuit_open"}
    call = {"run_id": uuid4()}
    metadata = {**BILLING, "model_call": notes}
    await handler.on_chat_model_start({}, [], metadata=metadata, **call)
    await handler.on_llm_error(TimeoutError(), **call)
    assert [noted(call, *notes, "error") for call in made] == [{**notes, "error": "TimeoutError"}]


async def test_each_start_of_a_node_is_a_try() -> None:
    """Chains inside of a node are no tries of it."""
    handler = UsageHandler()
    for name in ("billing", "RunnableSequence", "billing"):
        await handler.on_chain_start({}, {}, name=name, metadata=BILLING)
    assert handler.of("task-1").tries == 2
