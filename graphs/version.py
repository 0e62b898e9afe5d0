"""Which graph a checkpoint was written by, and whether this one can go on with it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from graphs.state import SupportState, fresh_run

# LangGraph's name for "this node is next": a value in the checkpoint, not yet consumed.
NEXT = "branch:to:"


def graph_version(graph: CompiledStateGraph[Any, Any, Any, Any]) -> str:
    """A digest of the nodes, the edges between them and the keys of state, 16 hex digits."""
    drawn = graph.get_graph()
    edges = sorted([edge.source, edge.target, edge.conditional] for edge in drawn.edges)
    keys = {name: str(kind) for name, kind in SupportState.__annotations__.items()}
    shape = json.dumps([sorted(drawn.nodes), edges, keys], sort_keys=True)
    return hashlib.sha256(shape.encode()).hexdigest()[:16]


def lost_nodes(stored: Mapping[str, Any], nodes: Iterable[str]) -> list[str]:
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
