"""What a language model answers is read strictly: a value of another JSON type is no value."""

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from graphs.conversation_summary import Summary
from graphs.llm.structured_output import check
from graphs.nodes.billing import Proposal
from graphs.nodes.classify import Classification
from graphs.nodes.general import Mailing
from graphs.nodes.respond import Reply
from graphs.nodes.verify import Support

GOOD: dict[type[BaseModel], dict[str, Any]] = {
    Proposal: {
        "refunds": [
            {"payment_id": "pay_1", "amount_minor": 4900, "reason": "twice", "wish": "Refund it"}
        ],
        "cancellations": [{"subscription_id": "sub_1", "reason": "asked", "wish": "End it"}],
        "candidates": ["pay_2"],
        "unsure": False,
    },
    Classification: {
        "intents": ["billing"],
        "questions": [{"intent": "billing", "text": "refund", "queries": []}],
        "urgency": "normal",
        "anger": 0.1,
        "language": "en",
        "wants_human": False,
        "confidence": 0.9,
        "nothing_asked": False,
    },
    Mailing: {"audience": None, "subject": "Hi", "body": "Hello", "unsure": False},
    Reply: {
        "claims": [
            {
                "question": "q1",
                "text": "It is so.",
                "evidence": [{"kind": "article", "id": "a", "quote": "It is so."}],
            }
        ],
        "unanswered": ["q2"],
    },
    Support: {"supported": True, "reason": "It says so."},
    Summary: {"text": "They asked."},
}
# What JSON has beside the right type: a lax reader takes some of them for it.
LOOK_ALIKES: dict[type, list[Any]] = {
    int: ["4900", "1_000", "4_900", 500.0, 4900.5, "٤٩٠٠", True, [4900], None, "4.9e3", " 4900 "],
    float: ["0.5", "1e-1", True, [0.5], None],
    bool: ["true", "yes", "1", 1, 0, 1.0, None],
    str: [1, 1.5, True, ["x"]],
    list: ["x", {"0": "x"}],
}


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    """Every place below a JSON value, with what stands there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    found: list[tuple[tuple[str | int, ...], Any]] = []
    for key, item in inside:
        found.append(((*path, key), item))
        if isinstance(item, dict | list):
            found += places(item, (*path, key))
    return found


def replaced(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy of the value with another one at the place."""
    copy = json.loads(json.dumps(value))
    at = copy
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = new
    return copy


CASES = [
    (schema, path, new)
    for schema, good in GOOD.items()
    for path, old in places(good)
    if type(old) in LOOK_ALIKES
    for new in LOOK_ALIKES[type(old)]
]


@pytest.mark.parametrize("schema", GOOD, ids=lambda schema: schema.__name__)
def test_a_true_answer_is_taken(schema: type[BaseModel]) -> None:
    """The examples are well formed, so that each refusal is that of the one value."""
    read = check(schema, AIMessage(json.dumps(GOOD[schema])))
    assert (read["parsing_error"], type(read["parsed"])) == (None, schema)


def test_a_whole_number_is_a_score() -> None:
    """JSON has one kind of number: 1 may stand where 1.0 is meant."""
    whole = json.dumps({**GOOD[Classification], "confidence": 1, "anger": 0})
    assert check(Classification, AIMessage(whole))["parsing_error"] is None


def test_a_key_that_stands_twice_is_refused() -> None:
    """Readers of JSON differ in which of the two counts, so neither does."""
    good = json.dumps(GOOD[Classification])
    twice = good.replace('"wants_human"', '"wants_human": true, "wants_human"')
    assert twice != good
    read = check(Classification, AIMessage(twice))
    assert (read["parsed"], read["parsing_error"]) == (None, "answer: a key stands twice")


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "no JSON", '"\\ud800"', ""])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    """However deep or broken, it is a problem of the answer and never an error of ours."""
    assert check(Classification, AIMessage(text))["parsed"] is None


@pytest.mark.parametrize(("schema", "path", "new"), CASES)
def test_a_look_alike_is_refused(
    schema: type[BaseModel], path: tuple[str | int, ...], new: Any
) -> None:
    """No text, float or boolean becomes an amount, no text or number a yes."""
    read = check(schema, AIMessage(json.dumps(replaced(GOOD[schema], path, new))))
    assert read["parsed"] is None
    assert read["parsing_error"]
