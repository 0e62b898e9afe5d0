"""docs/models.md has every question to a model, in exactly the shape that is asked for."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from app.models.offline.chat_model import ANSWERS
from graphs.conversation_summary import Summary
from graphs.llm.structured_output import check
from graphs.nodes.billing import Proposal
from graphs.nodes.classify import Classification
from graphs.nodes.general import Mailing
from graphs.nodes.respond import Reply
from graphs.nodes.verify import Support
from tests.unit.desk import ROOT

SCHEMAS: tuple[type[BaseModel], ...] = (
    Classification,
    Proposal,
    Mailing,
    Reply,
    Support,
    Summary,
)
PAGE = (ROOT / "docs/models.md").read_text()
every_schema = pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.__name__)


def section(schema: type[BaseModel]) -> str:
    """What the page says about one question."""
    return PAGE.split(f"\n## {schema.__name__}\n", 1)[1].split("\n## ", 1)[0]


def example(schema: type[BaseModel]) -> Any:
    """The one example of a section."""
    [shown] = re.findall(r"^```json\n(.*?)^```", section(schema), re.MULTILINE | re.DOTALL)
    return json.loads(shown)


def fields(schema: type[BaseModel], before: str = "") -> Iterator[str]:
    """Every field, those of nested models after a dot."""
    for name, field in schema.model_fields.items():
        yield before + name
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from fields(part, f"{before}{name}.")


def paths(value: Any, before: str = "") -> set[str]:
    """Every field that an example shows."""
    if isinstance(value, list):
        return {path for item in value for path in paths(item, before)}
    if not isinstance(value, dict):
        return set()
    own = {before + name for name in value}
    return own.union(*(paths(inner, f"{before}{name}.") for name, inner in value.items()))


def test_every_question_is_on_the_page_and_no_other() -> None:
    """The table and the headings; the offline model knows all but the verifier's."""
    named = [schema.__name__ for schema in SCHEMAS]
    assert re.findall(r"^\| `(\w+)` \|", PAGE.split("\n## ", 1)[0], re.MULTILINE) == named
    assert re.findall(r"^## (\w+)$", PAGE, re.MULTILINE) == named
    assert set(ANSWERS) | {Support.__name__} == set(named)


@every_schema
def test_the_example_is_an_answer_that_shows_every_field(schema: type[BaseModel]) -> None:
    """As strictly as a model's answer is read."""
    shown = example(schema)
    checked = check(schema, AIMessage(json.dumps(shown)))
    assert checked["parsing_error"] is None
    assert paths(shown) == set(fields(schema))


@every_schema
def test_the_table_names_every_field(schema: type[BaseModel]) -> None:
    """In the order of the schema."""
    named = re.findall(r"^\| `([\w.]+)` \|", section(schema), re.MULTILINE)
    assert named == list(fields(schema))
