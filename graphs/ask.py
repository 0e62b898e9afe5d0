"""Ask a model one question: instructions, facts and the ticket, each in a message of its own."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from langchain_core.messages import HumanMessage, SystemMessage
from langgraph.runtime import Runtime
from langgraph.types import RetryPolicy
from pydantic import BaseModel

from graphs.context import Role, SupportContext
from graphs.state import Ticket
from tools.errors import ToolError, UnavailableError

T = TypeVar("T", bound=BaseModel)


class ModelOutputError(Exception):
    """A model's answer does not fit the schema it was asked for."""


# What no second attempt mends: a bug in our own code.
PROGRAMMING_ERRORS = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError,
                      TypeError, ValueError)  # fmt: skip


def heals(error: Exception) -> bool:
    """Whether trying the node again can help."""
    if isinstance(error, ToolError):
        return isinstance(error, UnavailableError)
    return not isinstance(error, PROGRAMMING_ERRORS)


RETRY = RetryPolicy(initial_interval=0.3, max_interval=5.0, max_attempts=3, retry_on=heals)


async def ask(
    runtime: Runtime[SupportContext],
    role: Role,
    schema: type[T],
    instructions: str,
    ticket: Ticket,
    facts: Mapping[str, Any] | None = None,
) -> T:
    """One structured answer from the model of that role.

    A node's last attempt asks the fallback model, so a provider that is down ends in an answer.
    The ticket travels as data: what it says can never stand in the instructions.

    Raises:
        ModelOutputError: the answer does not fit `schema`.
    """
    info = runtime.execution_info
    last_attempt = info is not None and info.node_attempt >= RETRY.max_attempts
    models = runtime.context.models
    model = models.fallback if last_attempt else getattr(models, role)
    asked = model.with_structured_output(schema, method="json_schema", include_raw=True)
    answer: Any = await asked.ainvoke(
        [
            SystemMessage(instructions),
            HumanMessage(json.dumps({"facts": facts or {}}, ensure_ascii=False)),
            HumanMessage(json.dumps({"ticket": ticket}, ensure_ascii=False)),
        ]
    )
    parsed = answer["parsed"]
    if not isinstance(parsed, schema):
        raise ModelOutputError(f"{schema.__name__}: {answer['parsing_error']}")
    return parsed
