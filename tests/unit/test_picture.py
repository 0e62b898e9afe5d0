"""The picture in the docs, the compiled graph and our own list of edges say the same."""

import importlib
import inspect
import re

import pytest

from app.commands.graph import picture
from graphs.policy import GRANTS
from graphs.support import TRIAGE_NODE, build_support_graph, by_intent
from tests.unit.desk import ROOT

WORKFLOW = ROOT / "docs/workflow.md"
# Written by hand: a new way through the workflow has to be said here, too.
EDGES = {
    ("__start__", "classify"),
    ("classify", "billing"),
    ("classify", "technical"),
    ("classify", "general"),
    ("classify", "escalate"),
    ("classify", "check"),  # the same was asked before
    ("billing", "plan"),
    ("technical", "plan"),
    ("general", "plan"),
    ("plan", "approve"),
    ("plan", "act"),
    ("plan", "respond"),
    ("plan", "escalate"),
    ("approve", "act"),
    ("approve", "classify"),  # a reviewer's wish
    ("approve", "escalate"),
    ("act", "act"),
    ("act", "approve"),  # the plan no longer fits
    ("act", "respond"),
    ("act", "escalate"),
    ("respond", "check"),
    ("respond", "escalate"),  # only when it fails
    ("check", "send"),
    ("check", "review"),
    ("check", "respond"),
    ("check", "escalate"),
    ("review", "send"),
    ("review", "check"),  # a reviewer's text
    ("review", "respond"),
    ("review", "escalate"),
    ("escalate", "send"),
    ("send", "escalate"),  # only when it fails
}
LAST = ("send", "__end__")
NODES = {end for _, end in EDGES}


def drawn(mermaid: str) -> list[tuple[str, str]]:
    """The edges of a Mermaid picture."""
    return re.findall(r"^\s*(\w+) -\.?->(?:\|[^|]*\|)? (\w+);$", mermaid, re.MULTILINE)


def test_graph_has_exactly_our_edges() -> None:
    """No way more, no way less, none twice, and no line of the picture that is no edge."""
    edges = drawn(picture())
    assert sorted({*edges} - {LAST}) == sorted(EDGES)
    assert len(edges) == len(set(edges))
    assert len(edges) == picture().count(";") - 1  # "graph TD;" is no edge


def test_picture_shows_where_it_ends() -> None:
    """send is the last node, and the picture says so."""
    assert LAST in drawn(picture())


def test_docs_show_the_compiled_graph() -> None:
    """The one Mermaid block of docs/workflow.md is what `deskgraph graph` prints."""
    text = WORKFLOW.read_text(encoding="utf-8")
    [shown] = re.findall(r"^```mermaid\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert shown.strip() == picture().strip()


def test_nodes_are_the_designs() -> None:
    """The nodes of our edges and no other; failure handlers are drawn as the edges they take."""
    graph = build_support_graph()
    assert {name for name in graph.nodes if not name.startswith("__")} == NODES
    assert set(GRANTS) <= NODES
    [router] = graph.branches[TRIAGE_NODE]
    assert router == by_intent.__name__
    assert "__error_handler__" not in picture()


@pytest.mark.parametrize("name", sorted(NODES))
def test_every_node_has_its_own_file(name: str) -> None:
    """graphs/nodes/<name>.py holds the function <name>, and the graph runs just that."""
    module = importlib.import_module(f"graphs.nodes.{name}")
    node = getattr(module, name)
    assert inspect.iscoroutinefunction(node)
    assert node.__module__ == module.__name__
    assert module.__doc__ is not None
    assert module.__doc__.startswith(f"{name}: ")
    assert node.__doc__


def test_folder_of_nodes_holds_nothing_else() -> None:
    """No node that the graph does not know."""
    files = {path.stem for path in (ROOT / "graphs/nodes").glob("*.py")}
    assert files == NODES | {"__init__"}
