"""docs/commands.md and --help say what the command line does: commands, examples, JSON keys."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from app.cli import app
from app.commands.dev import Ready
from app.commands.lazy import GROUPS
from app.commands.usage import READY
from tests.unit.test_docs import code, table, text_of

PAGE = "docs/commands.md"
HEADING = re.compile(r"^### `deskgraph ([a-z ]+?)(?: (--json))?`$", re.MULTILINE)
DOCUMENTED = HEADING.findall(text_of(PAGE))


def leaves(command: Any, *path: str) -> Iterator[tuple[str, TyperCommand]]:
    """Every command that does something, with the words that call it."""
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from leaves(inner, *path, name)
    else:
        yield " ".join(path), command


COMMANDS = dict(leaves(get_command(app)))


def documented_keys(command: str) -> list[str]:
    """The keys in the table under the command's heading."""
    option = dict(DOCUMENTED)[command]
    heading = f"### `deskgraph {command}{f' {option}' if option else ''}`"
    return [code(cells[0])[0] for cells in table(PAGE, heading)]


def helped_keys(command: str) -> list[str]:
    """The keys in the last paragraph of the command's --help."""
    _, _, keys = str(COMMANDS[command].epilog).partition(" of JSON with ")
    return keys.rstrip(".").split(", ") if keys else []


def test_page_lists_every_command() -> None:
    """No command is missing from the page's table, and none in it is gone."""
    listed = [code(cells[0])[0] for cells in table(PAGE, "## All commands")]
    assert sorted(listed) == sorted(f"deskgraph {name}" for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_parses(name: str) -> None:
    """--help ends with a line to type, made of the command itself and options that it has."""
    command = COMMANDS[name]
    found = re.match(r"Example: deskgraph ([^>\n]+)", command.epilog or "")
    assert found, f"{name} has no example"
    words = shlex.split(found[1])
    assert words[: len(name.split())] == name.split()
    context = command.make_context(name, words[len(name.split()) :], resilient_parsing=True)
    assert not context.args, "every word of it is taken"
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("name", [name for name in COMMANDS if helped_keys(name)])
def test_keys_of_json_are_those_of_the_page(name: str) -> None:
    """--help and the page name the same keys of what the command prints."""
    assert documented_keys(name) == helped_keys(name)


def test_every_command_with_json_is_documented() -> None:
    """`--json` without a documented shape is no interface."""
    with_option = {name for name, c in COMMANDS.items() if "--json" in _options(c)}
    assert with_option == {name for name, option in DOCUMENTED if option}
    assert {name for name in COMMANDS if helped_keys(name)} == {name for name, _ in DOCUMENTED}


def _options(command: TyperCommand) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def test_dev_prints_what_is_documented() -> None:
    """The dataclass that `dev` prints has these fields."""
    assert tuple(field.name for field in fields(Ready)) == READY


def test_help_imports_neither_database_nor_web_nor_graph() -> None:
    """The list of commands answers at once: what commands need is imported when they run."""
    look = (
        "import sys; from typer.testing import CliRunner; from app.cli import app; "
        "shown = CliRunner().invoke(app, ['--help']); assert shown.exit_code == 0; "
        "print(*{'sqlalchemy', 'fastapi', 'langgraph', 'pydantic'} & set(sys.modules)); "
        f"print(all(name in shown.output for name in {list(GROUPS)!r}))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["", "True"]


def test_help_of_groups_is_one_sentence_each() -> None:
    """Every group has a module of its name, which holds its commands."""
    for name in GROUPS:
        assert Path(f"app/commands/{name}.py").exists()
        assert [path for path in COMMANDS if path.split()[0] == name]
