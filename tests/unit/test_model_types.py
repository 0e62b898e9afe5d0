"""What a language model answers is read as what it is: nothing that only looks alike is taken."""

import json
import typing
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import BaseModel

from app.models.offline.chat_model import ANSWERS
from graphs.context import Models, Question
from graphs.llm.errors import ModelOutputError
from graphs.llm.gateway import open_gateway
from graphs.llm.pool import open_pool
from graphs.llm.structured_output import ModelAnswerSchema
from graphs.nodes.billing import Proposal
from graphs.nodes.classify import Classification
from graphs.nodes.general import Mailing
from graphs.nodes.respond import Reply
from graphs.run.summary import Summary
from tests.fakes import FakeMeter, ScriptedModel

Path = tuple[str | int, ...]
GOOD: dict[type[ModelAnswerSchema], dict[str, Any]] = {
    Classification: {
        "intents": ["billing"], "parts": [{"intent": "billing", "quote": "Refund me."}],
        "urgency": "normal", "anger": 0.9, "language": "en", "wants_human": False,
        "confidence": 0.5,
    },
    Proposal: {
        "refunds": [{"payment_id": "pay_1", "amount_minor": 4900, "reason": "Charged twice."}],
        "cancellations": [{"subscription_id": "sub_1", "reason": "They ask for it."}],
        "unsure": False,
    },
    Mailing: {"audience": "all", "subject": "News", "body": "Hello", "unsure": False},
    Reply: {"text": "Hello", "citations": ["upload-error-e42"]},
    Summary: {"text": "Ann was charged twice."},
}  # fmt: skip
# What a reader that converts would take for each type.
LOOK_ALIKES: dict[Any, list[Any]] = {
    int: ["4900", "1_000", "٤٩٠٠", 500.0, 4.9e3, True, None, [4900]],
    float: ["0.9", "1", True, None, [0.9]],
    bool: ["true", "false", "yes", "1", 1, 0, 1.0, None],
    str: [1, 1.5, True, ["a"], {}],
    Literal: ["Billing", " billing", "normal ", 1, True, None],
    list: ["billing", {}, {"0": "billing"}, None, 1],
}


def fields(schema: type[BaseModel], at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every place of an answer, with the type that the schema wants there."""
    for name, field in schema.model_fields.items():
        kind: Any = field.annotation
        yield (*at, name), kind
        if get_origin(kind) is list:
            [item] = get_args(kind)
            here: Path = (*at, name, 0)
            if isinstance(item, type) and issubclass(item, BaseModel):
                yield from fields(item, here)
            else:
                yield here, item


def plain_type(kind: Any) -> Any:
    """The key of LOOK_ALIKES for a type of a field."""
    optional = [part for part in get_args(kind) if part is not type(None)]
    if type(None) in get_args(kind):
        return plain_type(optional[0])
    return get_origin(kind) or kind


def replaced(value: Any, at: Path, new: Any) -> Any:
    """The answer with another value in one place."""
    if not at:
        return new
    first, *rest = at
    changed: Any = dict(value) if isinstance(value, dict) else list(value)
    changed[first] = replaced(value[first], tuple(rest), new)
    return changed


CASES = [
    pytest.param(schema, at, wrong, id=f"{schema.__name__}-{'.'.join(map(str, at))}-{wrong!r}")
    for schema in GOOD
    for at, kind in fields(schema)
    for wrong in LOOK_ALIKES[plain_type(kind)]
]


async def answer(schema: type[ModelAnswerSchema], text: str) -> BaseModel:
    """What comes of a text that every model answers, the fallback too."""
    model = ScriptedModel(script={schema.__name__: [text]})
    spare = ScriptedModel(script={schema.__name__: [text]})
    gateway = open_gateway(open_pool(Models(model, model, spare)), "acme", FakeMeter())
    asked = [SystemMessage("Answer."), HumanMessage("{}"), HumanMessage("{}")]
    return (await gateway.answer("fast", Question(schema, asked, 5.0), last_try=False)).value


@pytest.mark.parametrize("schema", GOOD)
async def test_answer_is_taken_as_it_is(schema: type[ModelAnswerSchema]) -> None:
    """Every value keeps its type and itself."""
    assert (await answer(schema, json.dumps(GOOD[schema]))).model_dump() == GOOD[schema]


@pytest.mark.parametrize(("schema", "at", "wrong"), CASES)
async def test_look_alike_is_no_answer(
    schema: type[ModelAnswerSchema], at: Path, wrong: Any
) -> None:
    """An integer is an integer, a yes is a boolean, a text is a string: nothing is converted."""
    with pytest.raises(ModelOutputError):
        await answer(schema, json.dumps(replaced(GOOD[schema], at, wrong)))


@pytest.mark.parametrize("score", [0, 1, 0.0, 1.0, 0.35])
async def test_score_may_be_written_as_an_integer(score: float) -> None:
    """JSON knows one kind of number, and models write 1 for 1.0."""
    text = json.dumps({**GOOD[Classification], "confidence": score})
    found = await answer(Classification, text)
    assert isinstance(found, Classification)
    assert (found.confidence, type(found.confidence)) == (score, float)


def test_every_schema_of_a_model_is_strict() -> None:
    """With all that stands in it: one that converts within a strict one would let amounts in."""
    assert {schema.__name__ for schema in GOOD} == set(ANSWERS)
    assert nested(*GOOD) <= subclasses(ModelAnswerSchema)
    for schema in nested(*GOOD):
        assert schema.model_config.get("strict") is True
        assert schema.model_config.get("extra") == "forbid"


def nested(*schemas: type[BaseModel]) -> set[type[BaseModel]]:
    """The schemas and those of their fields."""
    found = set(schemas)
    for schema in schemas:
        for hint in typing.get_type_hints(schema).values():
            inner = [t for t in (hint, *get_args(hint)) if isinstance(t, type)]
            found |= nested(*(t for t in inner if issubclass(t, BaseModel)))
    return found


def subclasses(of: type[BaseModel]) -> set[type[BaseModel]]:
    """Every class that derives from it."""
    return {s for child in of.__subclasses__() for s in {child, *subclasses(child)}}
