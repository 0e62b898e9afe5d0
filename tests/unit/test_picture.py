"""The picture in the docs, the compiled graph and the files of the nodes say the same."""

import importlib
import inspect
import re

import pytest

from app.commands.graph import picture
from graphs.policy import GRANTS
from graphs.support import build_support_graph
from tests.unit.desk import ROOT

WORKFLOW = ROOT / "docs/workflow.md"


def drawn(mermaid: str) -> list[tuple[str, str]]:
    """The edges of a Mermaid picture."""
    return re.findall(r"^\s*(\w+) -\.?->(?:\|[^|]*\|)? (\w+);$", mermaid, re.MULTILINE)


def documented() -> str:
    """The one Mermaid block of docs/workflow.md."""
    text = WORKFLOW.read_text(encoding="utf-8")
    [shown] = re.findall(r"^```mermaid\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(shown)


LAST = ("send", "__end__")
# What a reviewer sees change: a new way through the workflow has to be drawn there.
EDGES = drawn(documented())
NODES = {end for _, end in EDGES} - {"__end__"}


def test_graph_has_exactly_our_edges() -> None:
    """No way more than documented, no way less, none twice, and no line that is no edge."""
    edges = drawn(picture())
    assert sorted(edges) == sorted(EDGES)
    assert len(edges) == len(set(edges))
    assert len(edges) == picture().count(";") - 1  # "graph TD;" is no edge


def test_picture_shows_where_it_ends() -> None:
    """send is the last node, and the picture says so."""
    assert LAST in drawn(picture())


def test_docs_show_the_compiled_graph() -> None:
    """The one Mermaid block of docs/workflow.md is what `deskgraph graph` prints."""
    assert documented().strip() == picture().strip()


def test_nodes_are_the_designs() -> None:
    """The documented nodes and no other; failure handlers are drawn as the edges they take."""
    graph = build_support_graph()
    assert {name for name in graph.nodes if not name.startswith("__")} == NODES
    assert set(GRANTS) <= NODES
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
