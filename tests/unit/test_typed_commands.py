"""Commands that a command prints can be typed in the shell that started it."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import cli
from app.commands.terminal import typed

COMMANDS = sorted(Path("app/commands").glob("*.py"))
STARTED = str(Path(sys.executable).parent / "deskgraph")
# The migration of an older version, and the title of the shell.
ELSEWHERE = {("migrate", "migrate"), ("shell", "shell"), ("dev", "is")}
MODULE = [sys.executable, "-m", "app.cli"]


@pytest.mark.parametrize(
    ("command", "path", "named"),
    [
        ([STARTED], "/usr/bin:/bin", STARTED),
        ([STARTED], str(Path(STARTED).parent), "deskgraph"),
        (MODULE, str(Path(STARTED).parent), f"{sys.executable} -m app.cli"),
    ],
    ids=["not on PATH", "on PATH", "module"],
)
def test_printed_command_is_the_one_that_was_started(
    monkeypatch: pytest.MonkeyPatch, command: list[str], path: str, named: str
) -> None:
    """It is `deskgraph` only where the shell finds that very program, else its path."""
    # What the interpreter makes of `-m`.
    started = command if command != MODULE else [cli.__file__]
    monkeypatch.setattr(sys, "argv", started)
    monkeypatch.setenv("PATH", path)
    assert typed("dev") == f"{named} dev"


def test_started_program_prints_its_own_path(tmp_path: Path) -> None:
    """As the one above, in a process: no shell finds it."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("DESKGRAPH_")}
    env = {**clean, "PATH": "/usr/bin:/bin", "DESKGRAPH_DATA_DIR": str(tmp_path)}
    ran = subprocess.run([STARTED, "worker"], env=env, capture_output=True, text=True, check=False)
    assert (ran.returncode, f"use `{STARTED} dev`" in ran.stderr) == (2, True)


def printed(tree: ast.Module) -> Iterator[str]:
    """Texts of a module that are neither docstrings nor the examples of --help."""
    hidden: set[int] = set()
    for node in ast.walk(tree):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        example = isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("usage", "Option")
        if docstring or example:
            hidden |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in hidden
        ):
            yield node.value


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_no_text_names_a_command_by_itself(path: Path) -> None:
    """Each printed command goes through `typed`, which knows how the program was started."""
    named = [
        text
        for text in printed(ast.parse(path.read_text()))
        for command in re.findall(r"(?:^|[`:] ?)deskgraph ([a-z]+)\b(?!:)", text, re.MULTILINE)
        if (path.stem, command) not in ELSEWHERE
    ]
    assert named == []
