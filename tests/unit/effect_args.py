"""Arguments for every effect of the catalog, generated from the schema that its model declares."""

from datetime import date
from typing import Any

from hypothesis import find
from hypothesis import strategies as st
from pydantic import BaseModel

from tools.effect import Effect
from tools.models import JsonObject
from tools.tool import Tool

Schema = dict[str, Any]
JUNK = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


def args_of(effect: Effect[Any]) -> st.SearchStrategy[Any]:
    """Every kind of arguments that the effect's model takes."""
    model: type[BaseModel] = effect.args
    schema = model.model_json_schema()
    return values_of(schema, schema).map(model.model_validate)


def simplest(tool: Effect[Any] | Tool[Any]) -> JsonObject:
    """The smallest arguments that a tool's model takes."""
    schema = tool.args.model_json_schema()
    found: JsonObject = find(values_of(schema, schema), lambda _value: True)
    return found


def values_of(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    """Values that a JSON Schema describes, as far as pydantic writes one for arguments."""
    if ref := schema.get("$ref"):
        return values_of(root["$defs"][ref.rpartition("/")[2]], root)
    if choices := schema.get("anyOf"):
        return st.one_of([values_of(choice, root) for choice in choices])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = {
        "string": _texts,
        "integer": lambda s, _: st.integers(s.get("minimum"), s.get("maximum")),
        "boolean": lambda _s, _r: st.booleans(),
        "null": lambda _s, _r: st.none(),
        "array": lambda s, r: st.lists(values_of(s["items"], r), max_size=s.get("maxItems", 3)),
        "object": _objects,
    }
    return kinds[schema["type"]](schema, root)


def _texts(schema: Schema, _root: Schema) -> st.SearchStrategy[str]:
    if schema.get("format") == "date":
        return st.dates(date(2000, 1, 1), date(2100, 1, 1)).map(date.isoformat)
    if pattern := schema.get("pattern"):
        return st.from_regex(pattern.removeprefix("^").removesuffix("$"), fullmatch=True)
    longest = min(schema.get("maxLength", 50), 50)
    return st.text(min_size=schema.get("minLength", 0), max_size=longest)


def _objects(schema: Schema, root: Schema) -> st.SearchStrategy[Schema]:
    fields = {name: values_of(field, root) for name, field in schema["properties"].items()}
    return st.fixed_dictionaries(fields)
