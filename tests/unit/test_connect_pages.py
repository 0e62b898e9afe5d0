"""The commands of the connect pages can be typed as they stand."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from app.commands.connections import parse_setting
from app.connectors.catalog import CONNECTORS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/connect/*.md"))]
ADD = re.compile(r"^(?:\.venv/bin/)?deskgraph connections add (.*)$", re.MULTILINE)
COMMANDS = [
    command for page in PAGES for command in ADD.findall(page.read_text().replace("\\\n", " "))
]


def test_every_system_has_its_command() -> None:
    """Each connector's page shows how it is added."""
    assert {shlex.split(command)[0] for command in COMMANDS} == set(CONNECTORS)


@pytest.mark.parametrize("command", COMMANDS)
def test_settings_of_a_page_are_taken(command: str) -> None:
    """The system takes every `--setting`, an id of digits among them."""
    kind, *words = shlex.split(command)
    given = [value for option, value in pairwise(words) if option == "--setting"]
    CONNECTORS[kind].settings.model_validate(dict(map(parse_setting, given)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=42", "42"), ("a=4.5", "4.5"), ("a=NaN", "NaN"), ("a=true", True), ("a=null", None),
        ("a=x=y", "x=y"), ('a={"n": 1}', {"n": 1}), ('a="42"', "42"), ("a=", ""),
    ],
)  # fmt: skip
def test_value_is_json_but_for_numbers(text: str, value: object) -> None:
    """A number stays a text: ids are texts, and a field of numbers reads it."""
    assert parse_setting(text) == ("a", value)
