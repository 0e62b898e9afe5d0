"""Ask a model one question: instructions, facts and the ticket, each in a message of its own."""

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage
from langgraph.runtime import Runtime
from langgraph.types import RetryPolicy

from graphs.context import ModelAnswer, Question, SupportContext, T
from graphs.llm.errors import PROGRAMMING_ERRORS, ModelError, ModelUnavailableError
from graphs.state import Role, Ticket
from tools.errors import ToolError, UnavailableError

# Shorter than the shortest time limit of a node that asks, so that a fallback still has its turn.
QUESTION_SECONDS = 25.0


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

    A node's last try asks the fallback, so a provider that is down ends in an answer.
    The ticket travels as data: what it says can never stand in the instructions.

    Raises:
        ModelUnavailableError: trying the node again can help.
        BudgetSpentError, ModelOutputError: a person must go on.
        ModelBusyError: the run must wait.
    """
    info = runtime.execution_info
    last_try = info is not None and info.node_attempt >= RETRY.max_attempts
    question = Question(
        schema,
        [
            SystemMessage(instructions),
            HumanMessage(json.dumps({"facts": facts or {}}, ensure_ascii=False)),
            HumanMessage(json.dumps({"ticket": shown(ticket)}, ensure_ascii=False)),
        ],
        seconds,
    )
    return await runtime.context.models.answer(role, question, last_try=last_try)
