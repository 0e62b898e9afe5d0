"""A file has one subject and a function does one thing: neither outgrows what one reads at once."""

import ast
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("app", "graphs", "tools")
FILE_LINES, FUNCTION_LINES, USUAL_FUNCTION = 350, 60, 10


def files(folder: str) -> list[Path]:
    """The Python files of a folder."""
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


def functions(path: Path) -> dict[str, int]:
    """Every function of a file, with how many lines it has."""
    return {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": (node.end_lineno or 0)
        - node.lineno
        + 1
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("folder", PRODUCT)
def test_no_file_is_too_long(folder: str) -> None:
    """A longer one has two subjects: give the second a file of its own."""
    lines = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in files(folder)}
    assert {path: count for path, count in lines.items() if count > FILE_LINES} == {}


@pytest.mark.parametrize("folder", PRODUCT)
def test_functions_are_short(folder: str) -> None:
    """Half of them have ten lines at most, and none is longer than a screen."""
    lines = {name: count for path in files(folder) for name, count in functions(path).items()}
    assert {name: count for name, count in lines.items() if count > FUNCTION_LINES} == {}
    assert median(lines.values()) <= USUAL_FUNCTION
