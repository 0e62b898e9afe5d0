"""Structured answers: validate one against its schema, and ask again with its problems."""

import json
import re
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, ValidationError

MAX_PROBLEMS = 10

REPAIR = """

Your last answer did not fit the schema; `problems` in the last message lists where.
Answer the same question again, with one JSON object of exactly the shape asked for."""


def check(schema: type[BaseModel], message: AIMessage) -> dict[str, Any]:
    """The answer in the shape asked for, or what is wrong with it, without repeating its text."""
    text = str(message.content)
    if repeats_a_key(text):
        return {"raw": message, "parsed": None, "parsing_error": "answer: a key stands twice"}
    try:
        # Strict: "1_000", 500.0 and true are no amounts.
        parsed = schema.model_validate_json(text, strict=True)
    except ValidationError as error:
        return {"raw": message, "parsed": None, "parsing_error": "; ".join(problems(schema, error))}
    return {"raw": message, "parsed": parsed, "parsing_error": None}


def repeats_a_key(text: str) -> bool:
    """Whether an object of the JSON names a key twice: which one counts differs by reader."""
    repeated = False

    def note(pairs: list[tuple[str, Any]]) -> None:
        nonlocal repeated
        repeated = repeated or len({key for key, _ in pairs}) < len(pairs)

    try:
        json.loads(text, object_pairs_hook=note)
    except (ValueError, RecursionError):
        # No JSON, or deeper than any schema of ours: the validation says so.
        return False
    return repeated


def problems(schema: type[BaseModel], error: ValidationError) -> list[str]:
    """Where and why, in words of the schema alone: a key that a ticket planted is not repeated."""
    known = set(re.findall(r"\w+", json.dumps(schema.model_json_schema())))
    found = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        place = [str(part) if isinstance(part, int) or part in known else "?"
                 for part in problem["loc"]]  # fmt: skip
        found.append(f"{'.'.join(place) or 'answer'}: {problem['msg']}")
    return found[:MAX_PROBLEMS]


def asked_again(messages: list[BaseMessage], parsing_error: str) -> list[BaseMessage]:
    """The same question with its instructions extended and the problems as data of their own."""
    instructions, *data = messages
    found = json.dumps({"problems": parsing_error.split("; ")}, ensure_ascii=False)
    return [SystemMessage(f"{instructions.content}{REPAIR}"), *data, HumanMessage(found)]
