"""A ChatOpenAI that returns every answer, even one that does not fit its schema."""

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI
from openai import OpenAIError
from pydantic import BaseModel

from app.log import get_logger
from app.models.failures import failure_of
from graphs.llm.errors import ModelRefusedError, ModelUnavailableError
from graphs.llm.structured_chat import StructuredChat
from graphs.llm.structured_output import check

log = get_logger(__name__)

# A server that checks schemas strictly may refuse these; our own check of the answer has them all.
BOUNDS = frozenset(
    "minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum minItems maxItems"
    " multipleOf pattern format".split()
)
# What a client trips over when a proxy's page or an error comes back where an answer should be.
GARBLED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class ModelServerError(ModelUnavailableError):
    """The server's answer is no chat completion."""


class OpenAIChatModel(ChatOpenAI):
    """Structured output is asked for in the request's body and checked here.

    The openai client would check it too and raise, and the tokens of that call would be lost.
    """

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        try:
            answer = await super()._agenerate(messages, stop, run_manager, **kwargs)
        except OpenAIError as error:
            failure = failure_of(error)
            if isinstance(failure, ModelRefusedError):
                log.warning("model_refused", model=self.model_name, error=failure)
            raise failure from error
        except GARBLED as error:
            name = type(error).__name__
            raise ModelServerError(f"The answer is no chat completion: {name}.") from error
        if not answer.generations:
            raise ModelServerError("The answer holds no choice.")
        if not isinstance(answer.generations[0].message, AIMessage):
            raise ModelServerError("The answer is not the assistant's.")
        return answer

    def with_structured_output(
        self, schema: Any = None, *, include_raw: bool = False, **_kwargs: Any
    ) -> Runnable[Any, Any]:
        """Ask for an answer in the shape of `schema`, a pydantic model."""
        asked = {"name": schema.__name__, "schema": wire_schema(schema), "strict": True}
        response_format = {"type": "json_schema", "json_schema": asked}

        def check_answer(message: AIMessage) -> Any:
            checked = check(schema, message)
            if include_raw:
                return checked
            if checked["parsed"] is None:
                raise ModelServerError(checked["parsing_error"])
            return checked["parsed"]

        return StructuredChat(self, check_answer, extra_body={"response_format": response_format})


def wire_schema(schema: type[BaseModel]) -> Any:
    """The JSON Schema without bounds; every field is asked for, as strict schemas want it."""
    return _strict(schema.model_json_schema())


def _strict(part: Any) -> Any:
    if isinstance(part, list):
        return [_strict(item) for item in part]
    if not isinstance(part, dict):
        return part
    strict = {key: _strict(value) for key, value in part.items() if key not in BOUNDS}
    if isinstance(part.get("properties"), dict):
        strict["required"] = list(part["properties"])
    return strict
