"""What the documents say is what the code does; each test holds one table, list or picture."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from rich.console import Console
from typer.core import TyperGroup
from typer.main import get_command

from app.api.http.dependencies import SCOPES
from app.cli import app as cli
from app.commands import tools as tool_list
from app.commands.graph import picture
from app.errors import DeskgraphError, all_errors
from app.lifecycle import TRANSITIONS, ApprovalStatus
from app.observability import database_metrics, metrics
from app.settings import Settings
from graphs.policy import GRANTS, Policy
from graphs.run import memory
from graphs.state import SPECIALISTS
from graphs.support import build_support_graph
from tests.documented import own_document
from tests.unit import configuration_page
from tools.catalog import EFFECTS, TOOLS
from tools.helpdesk import REPLY

# They read pages; what they run of the product is its constants.
pytestmark = pytest.mark.no_cover

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)")

PATH = re.compile(r"\.?[\w-][\w.-]*(/[\w.-]+)*/?")
TOP = {path.name for path in ROOT.iterdir() if path.name != ".env"}
SOURCES = (".py", ".md", ".toml", ".yml", ".lock")

# Calls by the beginning of their path, and the word of the table of scopes for them.
GROUPS_OF_CALLS = {
    "approvals": "approvals", "handoffs": "hand-offs", "articles": "articles", "policy": "policy",
    "customers": "customers", "callbacks": "callbacks", "threads": "threads",
}  # fmt: skip

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def text_of(name: str) -> str:
    """A page of the repository."""
    return (ROOT / name).read_text()


def without_fences(text: str) -> str:
    """Prose, tables and headings."""
    return FENCE.sub("", text)


def table(name: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    _, found, rest = text_of(name).partition(f"\n{heading}\n")
    assert found, f"{name} has no heading {heading!r}"
    lines = rest[rest.index("\n|") + 1 :].split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def code(cell: str) -> list[str]:
    """The words of a cell that are set as code."""
    return re.findall(r"`([^`]+)`", cell)


def commands(text: str) -> Iterator[str]:
    """What a reader could type: lines of fenced blocks, continued ones joined, and code spans."""
    for kind, block in FENCE.findall(text):
        if kind in ("", "console"):
            yield from block.replace("\\\n", " ").splitlines()
    yield from code(without_fences(text))


def slugs(page: Path) -> set[str]:
    """The anchors of a page's headings, as the host of the repository makes them."""
    headings = re.findall(r"^#+ (.+)$", without_fences(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file of the checkout, and its anchor a heading there."""
    for target, anchor in LINK.findall(without_fences(page.read_text())):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        assert not anchor or anchor in slugs(path), f"{target}#{anchor}"


@every_page
def test_every_path_exists(page: Path) -> None:
    """A code span that looks like a path of the repository is one.

    It looks like one when it begins with a folder or is a file at the top, or ends as a source
    file does. `<name>`, `*` and `...` stand for something else. Released entries of the changelog
    speak of the past and are left out; a page with a diff may name the files that it adds.
    """
    text, diff = page.read_text(), page.with_suffix(".diff")
    added = re.findall(r"^\+\+\+ b/(.+)$", diff.read_text(), re.MULTILINE) if diff.exists() else []
    if page.name == "CHANGELOG.md":
        text = "\n## ".join(text.split("\n## ")[:2])
    for span in code(without_fences(text)):
        if PATH.fullmatch(span) and (span.split("/")[0] in TOP or span.endswith(SOURCES)):
            assert (ROOT / span).exists() or span in added, span


@cache
def known_metrics() -> set[str]:
    """Names of metrics, and of labels: to collect all takes a tenth of a second."""
    families = {metric.name: metric.type for metric in REGISTRY.collect()}
    known = {f"{name}_total" if kind == "counter" else name for name, kind in families.items()}
    for module in (metrics, database_metrics):
        for metric in vars(module).values():
            known |= set(getattr(metric, "_labelnames", ()))
    return known


@every_page
def test_every_metric_exists(page: Path) -> None:
    """`deskgraph_...` and `gen_ai_...` are metrics of the service, or labels of some."""
    for span in code(without_fences(page.read_text())):
        if re.fullmatch(r"(deskgraph|gen_ai)_\w+", span):
            assert span in known_metrics(), span


@every_page
def test_every_command_exists(page: Path) -> None:
    """`deskgraph ...` names commands and options that the command line knows."""
    for line in commands(page.read_text()):
        for typed in re.findall(r"(?:^|[\s/])deskgraph ([a-z][^>|#]*)", line):
            words, command = shlex.split(typed), get_command(cli)
            while isinstance(command, TyperGroup) and words:
                assert words[0] in command.commands, line
                command = command.commands[words.pop(0)]
            known = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= known, line


@every_page
def test_every_make_target_exists(page: Path) -> None:
    """`make ...` names a target of the Makefile."""
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.MULTILINE))
    for line in commands(page.read_text()):
        assert set(re.findall(r"^make ([a-z-]+)", line)) <= targets, line


@every_page
def test_every_variable_exists(page: Path) -> None:
    """`DESKGRAPH_...` is a setting, or the key that `demo` takes."""
    known = {f"DESKGRAPH_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"DESKGRAPH_[A-Z0-9_]*[A-Z0-9]", page.read_text()))
    assert named <= known | {"DESKGRAPH_API_KEY"}


@every_page
def test_every_shell_variable_is_set(page: Path) -> None:
    """What an example reads as `$NAME` the page sets or explains, or the API's page sets."""
    text = page.read_text()
    words = without_fences(text)
    blocks = "".join(block for _, block in FENCE.findall(text))
    read = set(re.findall(r"\$\{?([A-Z][A-Z_]*)\b", blocks))
    set_ = re.findall(r"(?:^|[ ;])(?:export )?([A-Z][A-Z_]*)=", blocks, re.MULTILINE)
    said = re.findall(r"`\$([A-Z][A-Z_]*)`", words)
    assert read <= {*set_, *said, "URL", "STARTER", "APPROVER", "ADMIN"}


def test_picture_of_a_ticket_is_a_way_through_the_graph() -> None:
    """Every arrow between two nodes in the README's picture is an edge of the compiled graph."""
    [drawn] = [block for kind, block in FENCE.findall(text_of("README.md")) if kind == "mermaid"]
    edges = set(re.findall(r"(\w+) -\.?-> (\w+);", picture()))
    arrows = re.findall(r"(\w+) -- [^;]* --> (\w+);", drawn)
    assert len(arrows) >= 7
    assert set(arrows) <= edges


def test_configuration_page_is_the_settings() -> None:
    """Every setting in its group, with default, unit and its own description; none is left out."""
    assert configuration_page.PAGE.read_text() == configuration_page.page()
    assert configuration_page.EXAMPLE.read_text() == configuration_page.example()
    documented = re.findall(r"^\| `DESKGRAPH_(\w+)`", configuration_page.page(), re.MULTILINE)
    assert [name.lower() for name in documented] == list(Settings.model_fields)
    assert all(field.description for field in Settings.model_fields.values())


def test_code_table_is_the_errors() -> None:
    """Every code of the service with its status, and no other."""
    documented = {code(cells[0])[0]: int(cells[1]) for cells in table("docs/api.md", "## Errors")}
    ours = [error for error in all_errors(DeskgraphError) if error.__module__.startswith("app.")]
    assert documented == {error.code: error.status for error in ours}


def openapi() -> dict[str, Any]:
    """The API's description of itself."""
    return own_document().document


def test_every_route_has_its_heading() -> None:
    """The headings of docs/api.md are the routes, no more and no fewer."""
    documented = re.findall(r"^### `([A-Z]+ /\S*)`$", text_of("docs/api.md"), re.MULTILINE)
    paths = openapi()["paths"]
    assert sorted(documented) == sorted(
        f"{m.upper()} {path}" for path in paths for m in paths[path]
    )


def test_titles_of_calls_are_sentences() -> None:
    """`/docs` titles a call by the first sentence of what it does, not by a function's name."""
    for path, operations in openapi()["paths"].items():
        for operation in operations.values():
            title = operation["summary"]
            assert operation["description"].startswith(title), path
            assert title.title() != title, path


def test_run_fields_are_documented() -> None:
    """Each field of a run and of an approval stands in its table."""
    schemas = openapi()["components"]["schemas"]
    for schema, heading in (
        ("RunOut", "### A run"),
        ("ApprovalOut", "### `GET /v1/approvals/{approval_id}`"),
    ):
        documented = [name for cells in table("docs/api.md", heading) for name in code(cells[0])]
        assert sorted(documented) == sorted(schemas[schema]["properties"])


def test_scopes_are_documented() -> None:
    """The table of scopes is the list that keys are made from."""
    rows = table("docs/api.md", "## Keys and scopes")
    assert [code(cells[0])[0] for cells in rows] == list(SCOPES)


def test_node_table_is_the_graph() -> None:
    """Every node with exactly its grants and its time limit."""
    rows = {code(cells[0])[0]: cells for cells in table("docs/workflow.md", "## Nodes")}
    nodes = build_support_graph().nodes
    assert set(rows) == {name for name in nodes if not name.startswith("__")}
    for name, (_, _, _, grants, limit) in rows.items():
        documented = set(code(grants))
        if name == "act":
            # A new effect is no new line in the table.
            documented = {effect.permission for effect in EFFECTS.values() if effect is not REPLY}
        assert documented == GRANTS.get(name, frozenset())
        timeout = nodes[name].timeout
        assert limit == (f"{timeout.run_timeout:g} s" if timeout else "none")


def test_router_table_is_the_graph() -> None:
    """Every router stands after its node with each node that it can choose, and no other."""
    documented = {
        (code(name)[0], code(after)[0]): set(code(ways)) - {code(after)[0]}
        for name, after, ways in table("docs/workflow.md", "## Routers")
    }
    graph = build_support_graph()
    assert set(documented) == {
        (name, node) for node in graph.branches for name in graph.branches[node]
    }
    drawn = re.findall(r"(\w+) -\.?-> (\w+);", picture())
    for (name, node), ways in documented.items():
        # The specialists stand there in one word.
        known = {end for start, end in drawn if start == node} - {node, *SPECIALISTS}
        assert ways == known, name


def escalation_reasons() -> set[str]:
    """The reasons in the code: of each dictionary of a reason and a detail."""
    reasons: set[str] = set()
    for path in (*ROOT.glob("graphs/**/*.py"), *ROOT.glob("app/execution/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Dict):
                keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
                if keys == ["reason", "detail"]:
                    reasons |= {
                        str(found.value)
                        for found in ast.walk(node.values[0])
                        if isinstance(found, ast.Constant)
                    }
    return reasons


def test_reasons_of_an_escalation_are_documented() -> None:
    """The list of docs/workflow.md has each reason that the code gives, and no other."""
    page = text_of("docs/workflow.md")
    [line] = re.findall(r"^Reasons of an escalation: ([^.]*)\.", page, re.MULTILINE)
    assert set(code(line)) == escalation_reasons()


def test_scope_table_names_what_a_scope_reads() -> None:
    """Each scope is named with every group of calls that it opens."""
    documented = {
        code(cells[0])[0]: cells[1] for cells in table("docs/api.md", "## Keys and scopes")
    }
    for path, operations in openapi()["paths"].items():
        for operation in operations.values():
            for scope in (scope for one in operation.get("security", ()) for scope in one.values()):
                word = GROUPS_OF_CALLS.get(path.split("/")[2])
                assert word is None or word in documented[scope[0]], (scope, path)


def test_tools_are_listed_as_the_catalog_has_them() -> None:
    """`deskgraph tools` shows every tool with its permission, and whether it is gated and how."""
    listed = {row.name: row for row in tool_list.rows()}
    assert set(listed) == set(TOOLS)
    for name, row in listed.items():
        assert row.permission == TOOLS[name].permission
        assert "" not in row
        effect = EFFECTS.get(name)
        is_gated = effect is not None and effect.gated
        assert (row.gated == "yes", row.key != "none, only reads") == (is_gated, effect is not None)
        found = effect is not None and effect.find is not None
        assert row.after_unknown_end.startswith("asked for by key" if found else "called again")
        promised = effect is not None and callable(effect.repeatable)
        assert row.after_unknown_end.endswith("if its port promises that it is safe") is promised


def test_names_of_tools_are_whole_in_a_narrow_terminal() -> None:
    """80 columns break permission and key, never the name."""
    narrow = Console(width=80, file=StringIO())
    narrow.print(tool_list.table())
    shown = narrow.file.getvalue()  # type: ignore[attr-defined]
    assert all(f" {name} " in shown for name in TOOLS)


def test_effect_that_cannot_be_asked_for_is_left_to_a_person() -> None:
    """Neither repeatable nor with a `find`: after an unknown end only a person can look."""
    listed = tool_list._effect(replace(EFFECTS["refund_payment"], find=None, repeatable=False))
    assert listed.after_unknown_end == "a person looks"


def test_statuses_are_the_transition_table() -> None:
    """The glossary tells every status, and where it can lead."""
    rows = table("docs/glossary.md", "## Status of a run")
    documented = {code(cells[0])[0]: set(code(cells[2])) for cells in rows}
    assert documented == {
        str(status): {str(to) for to in following} for status, following in TRANSITIONS.items()
    }
    approvals = table("docs/glossary.md", "## Status of an approval")
    assert [code(cells[0])[0] for cells in approvals] == [str(status) for status in ApprovalStatus]


def test_policy_table_is_the_policy() -> None:
    """Every rule of a tenant with its default."""
    rows = {
        code(cells[0])[0]: cells[1].strip("`") for cells in table("docs/operations.md", "## Policy")
    }
    assert rows == {name: str(value) for name, value in Policy().model_dump().items()}


def test_bounds_of_memory_are_documented() -> None:
    """The table of what a run remembers names the bounds that the code keeps."""
    documented = {code(cells[0])[0]: cells[2] for cells in table("docs/workflow.md", "## Memory")}
    assert documented == {
        "window": f"{memory.WINDOW_EXCHANGES} exchanges, {memory.WINDOW_CHARS:,} characters; "
        f"{memory.CUSTOMER_CHARS} a message of the customer, {memory.OWN_CHARS} of ours",
        "summary": f"{memory.SUMMARY_CHARS:,} characters",
        "tickets": f"{memory.PAST_TICKETS} tickets; of each a subject of {memory.SUBJECT_CHARS} "
        f"characters, {memory.PROMISES} effects and who took over, "
        f"{memory.PROMISE_CHARS} characters each",
    }


def test_logged_events_exist() -> None:
    """Each event of the table is logged somewhere."""
    source = "\n".join(path.read_text() for path in ROOT.glob("app/**/*.py"))
    for cells in table("docs/operations.md", "## Logs"):
        for event in code(cells[0]):
            assert f'"{event}"' in source


def test_every_room_is_in_the_layout() -> None:
    """The table of CONTRIBUTING.md names each folder of the code."""
    named = [name for cells in table("CONTRIBUTING.md", "## Layout") for name in code(cells[0])]
    folders = [path.parent for path in ROOT.glob("*/__init__.py")]
    folders += [path.parent for path in ROOT.glob("app/*/__init__.py")]
    folders += [path.parent for path in ROOT.glob("graphs/*/__init__.py")]
    rooms = {str(folder.relative_to(ROOT)) for folder in folders} - {"app", "graphs/nodes"}
    assert rooms <= set(named)
