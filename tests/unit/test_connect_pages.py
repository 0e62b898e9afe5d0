"""The commands of the connect pages can be typed as they stand."""

import itertools
import re
import shlex
from pathlib import Path

import pytest

from app.commands.connections import parse_setting
from app.connectors.catalog import CONNECTORS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/connect/*.md"))]
ADD = re.compile(r"^(?:\.venv/bin/)?deskgraph connections add .*(?:\\\n.*)*", re.MULTILINE)
COMMANDS = [command for page in PAGES for command in ADD.findall(page.read_text())]


def test_every_system_has_its_command() -> None:
    """Each connector's page shows how it is added."""
    assert {shlex.split(command)[3] for command in COMMANDS} == set(CONNECTORS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.split()))
def test_settings_of_a_page_are_taken(command: str) -> None:
    """The system takes every `--setting`, an id of digits among them."""
    words = shlex.split(command.replace("\\\n", " "))
    given = [value for name, value in itertools.pairwise(words) if name == "--setting"]
    CONNECTORS[words[3]].settings.model_validate(dict(map(parse_setting, given)))
