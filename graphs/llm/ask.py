"""Ask a model one question: instructions, facts and the ticket, each in a message of its own."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage
from langgraph.runtime import Runtime
from langgraph.types import RetryPolicy

from graphs.context import ModelAnswer, Question, SupportContext, T
from graphs.llm.errors import (
    PROGRAMMING_ERRORS,
    ModelAwaitedError,
    ModelError,
    ModelGoneError,
    ModelUnavailableError,
)
from graphs.state import Role, Ticket
from tools.errors import ToolError, UnavailableError

# Shorter than the shortest time limit of a node that asks, so that a fallback still has its turn.
QUESTION_SECONDS = 25.0


# What of a ticket a model sees: never what was set apart from the new text, and no headers.
def is_retryable(error: Exception) -> bool:
    """Whether trying the node again can help."""
    if isinstance(error, ToolError):
        return isinstance(error, UnavailableError)
    if isinstance(error, ModelError):
        return isinstance(error, ModelUnavailableError)
    return not isinstance(error, PROGRAMMING_ERRORS)


# LangGraph adds up to a second at random to each pause.
RETRY = RetryPolicy(initial_interval=0.3, max_interval=5.0, max_attempts=3, retry_on=is_retryable)


# What of a ticket a model reads; headers and what was set apart stay out of its sight.
SHOWN = ("subject", "body", "language", "customer_name")


def shown(ticket: Ticket) -> dict[str, object]:
    """The customer's own words, as a model gets them."""
    return {name: value for name, value in ticket.items() if name in SHOWN}


async def ask(
    runtime: Runtime[SupportContext],
    role: Role,
    schema: type[T],
    instructions: str,
    ticket: Ticket,
    facts: Mapping[str, Any] | None = None,
) -> T:
    """One structured answer from the model of that role, or from one that answers for it.

    Raises:
        ModelError: see `ask_model`.
    """
    return (await ask_model(runtime, role, schema, instructions, ticket, facts)).value


async def ask_model(
    runtime: Runtime[SupportContext],
    role: Role,
    schema: type[T],
    instructions: str,
    ticket: Ticket,
    facts: Mapping[str, Any] | None = None,
    *,
    seconds: float = QUESTION_SECONDS,
) -> ModelAnswer[T]:
    """The same, with the tier that answered; the gateway gives up its models after `seconds`.

    A node's last try asks the fallback, so a provider that is down ends in an answer, in a person,
    or, if the tenant's policy says so, in a run that waits.
    The ticket travels as data: what it says can never stand in the instructions.

    Raises:
        ModelUnavailableError: trying the node again can help.
        BudgetSpentError, ModelGoneError, ModelOutputError: a person must go on.
        ModelAwaitedError, ModelBusyError: the run must wait.
    """
    data: list[Mapping[str, Any]] = [{"facts": facts or {}}, {"ticket": shown(ticket)}]
    return await ask_about(runtime, role, schema, instructions, data, seconds=seconds)


async def ask_about(
    runtime: Runtime[SupportContext],
    role: Role,
    schema: type[T],
    instructions: str,
    data: Sequence[Mapping[str, Any]],
    *,
    seconds: float,
) -> ModelAnswer[T]:
    """The same about any data, each piece in a message of its own.

    Raises:
        ModelError: see `ask_model`.
    """
    info = runtime.execution_info
    last_try = info is not None and info.node_attempt >= RETRY.max_attempts
    pieces = [HumanMessage(json.dumps(piece, ensure_ascii=False)) for piece in data]
    question = Question(schema, [SystemMessage(instructions), *pieces], seconds)
    try:
        return await runtime.context.models.answer(role, question, last_try=last_try)
    except ModelGoneError as error:
        if runtime.context.policy.without_model == "wait":
            raise ModelAwaitedError(str(error)) from error
        raise
