"""What is traced as JSON holds it: LangChain's messages in its own form, objects as they say."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

# What of a message is shown.
MESSAGE_PARTS = ("content", "type", "response_metadata", "usage_metadata", "tool_calls", "name")


def as_json(value: Any) -> Any:
    """What stands for an object that JSON does not know: a dictionary, a list or a text."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return list(value)
    if isinstance(value, BaseMessage):
        return _message(value)
    if isinstance(value, LLMResult):
        return _answer(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return json.loads(dumps(value))


def named(value: Any) -> Mapping[str, Any]:
    """Inputs or outputs by name, as LangSmith wants them."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, LLMResult):
        return _answer(value)
    if isinstance(value, list) and value and isinstance(value[0], list):
        return {"messages": value}
    return {"input": value}


def dumps(value: Any) -> bytes:
    """JSON of it. Names that are no texts, half a surrogate pair and a number of many digits are
    beyond orjson."""
    try:
        return orjson.dumps(value, default=str)
    except TypeError:
        text = json.dumps(value, default=str, ensure_ascii=False, skipkeys=True)
        return text.encode("utf-8", "replace")


def _message(message: BaseMessage) -> dict[str, Any]:
    """In the form that LangChain writes, which LangSmith shows as a conversation."""
    said = {name: getattr(message, name, None) for name in MESSAGE_PARTS}
    kwargs = {name: part for name, part in said.items() if part}
    return {"lc": 1, "type": "constructor", "id": message.lc_id(), "kwargs": kwargs}


def _answer(result: LLMResult) -> dict[str, Any]:
    return {"generations": [[_generation(one) for one in batch] for batch in result.generations]}


def _generation(one: Any) -> dict[str, Any]:
    message = {"message": one.message} if isinstance(one, ChatGeneration) else {}
    return {"text": one.text, **message}
