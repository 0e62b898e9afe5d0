"""Which graph wrote a checkpoint, and whether the current graph can continue from it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from langgraph.graph.state import CompiledStateGraph
from pydantic import TypeAdapter, ValidationError

from graphs.state import SupportState, fresh_run

# LangGraph's name for "this node is next": a value in the checkpoint, not yet consumed.
NEXT = "branch:to:"


def graph_version(graph: CompiledStateGraph[Any, Any, Any, Any]) -> str:
    """A digest of the nodes, the edges between them and the shape of state, 16 hex digits.

    The first one takes about 0.1 s.
    """
    drawn = graph.get_graph()
    edges = sorted([edge.source, edge.target, edge.conditional] for edge in drawn.edges)
    schema: Any = graph.builder.state_schema
    state = _shape_of(schema)
    shape = json.dumps([sorted(drawn.nodes), edges, state], sort_keys=True)
    return hashlib.sha256(shape.encode()).hexdigest()[:16]


@cache
def _shape_of(schema: Any) -> Any:
    return without_words(TypeAdapter(schema).json_schema())


def without_words(schema: Any) -> Any:
    """A JSON Schema without its texts: a better docstring makes no other graph."""
    if isinstance(schema, list):
        return [without_words(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    words = {name for name in ("title", "description") if isinstance(schema.get(name), str)}
    return {name: without_words(value) for name, value in schema.items() if name not in words}


@cache
def _state() -> TypeAdapter[Any]:
    return TypeAdapter(SupportState)


def incompatible_keys(stored: Mapping[str, Any]) -> dict[str, str]:
    """The keys of a stored state whose values do not fit the current schema, each with why.

    Missing keys and unknown keys are compatible.
    """
    try:
        _state().validate_python(dict(stored), strict=True)
    except ValidationError as error:
        # Without the values: they are the customer's, and this text is logged.
        wrong = error.errors(include_url=False, include_context=False, include_input=False)
        return {
            str(e["loc"][0]): f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in reversed(wrong)
        }
    return {}


def removed_nodes(stored: Mapping[str, Any], nodes: Iterable[str]) -> list[str]:
    """The nodes that a checkpoint would go on with and that the graph no longer has."""
    following = {name.removeprefix(NEXT) for name in stored if name.startswith(NEXT)}
    return sorted(following - set(nodes))


def missing_keys(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of state that an older graph did not write, as a fresh run has them.

    Raises:
        KeyError: the checkpoint has no ticket, so there is nothing to go on with.
    """
    fresh = fresh_run(stored["run_id"], stored["ticket"])
    # The reducer of `findings` takes None for a fresh start; stored is what it makes of it.
    return {k: {} if k == "findings" else v for k, v in fresh.items() if k not in stored}
