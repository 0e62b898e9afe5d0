"""A file of agents: what is no agent is refused with file and line, before anything."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.api.schemas.agents import SKILLS
from app.commands.agents import AgentIn
from app.commands.seed import agents
from app.formats.jsonl import RowError, unique_rows
from tests.unit.test_docs import FENCE, text_of

MIA = {
    "id": "ag_mia", "name": "Mia", "skills": ["billing"], "timezone": "Europe/Berlin",
    "opens_hour": 7, "closes_hour": 19,
}  # fmt: skip


def lines(folder: Path, *rows: Any) -> Path:
    """A JSONL file."""
    path = folder / "agents.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
    return path


def test_agents_are_read_with_their_defaults(tmp_path: Path) -> None:
    """Weekdays, absence and load may be left out; the agents of the demo tenant are such lines."""
    [mia] = unique_rows(lines(tmp_path, "", MIA), AgentIn)
    assert mia.model_dump() == {**MIA, "weekdays": [1, 2, 3, 4, 5], "away": False, "max_load": 20}
    assert len(unique_rows(lines(tmp_path, *agents()), AgentIn)) == len(agents())


def test_page_shows_a_line_that_is_taken(tmp_path: Path) -> None:
    """The example of the page is an agent, and the page names every skill."""
    _, _, page = text_of("docs/operations.md").partition("\n## Agents\n")
    [line] = [block for kind, block in FENCE.findall(page) if kind == "json"][:1]
    assert len(unique_rows(lines(tmp_path, line.strip()), AgentIn)) == 1
    assert all(f"`{skill}`" in page for skill in SKILLS)


BAD: list[Any] = [
    {**MIA, "skills": []},
    {**MIA, "skills": ["biling"]},
    {**MIA, "skills": ["billing", "billing"]},
    {**MIA, "timezone": "Berlin"},
    {**MIA, "timezone": "../etc/passwd"},
    {**MIA, "timezone": ""},
    {**MIA, "opens_hour": 24},
    {**MIA, "opens_hour": 7.5},
    {**MIA, "closes_hour": 25},
    {**MIA, "weekdays": [0]},
    {**MIA, "weekdays": [1, 1]},
    {**MIA, "weekdays": []},
    {**MIA, "away": "no"},
    {**MIA, "max_load": 0},
    {**MIA, "load": 3},
    {**MIA, "name": "Mia\n"},
    {**MIA, "id": ""},
    {"id": "ag_tom"},
]


@pytest.mark.parametrize("bad", [{**row, "id": row.get("id") or ""} for row in BAD], ids=str)
def test_line_that_is_no_agent_is_named(tmp_path: Path, bad: Any) -> None:
    """A skill that no ticket asks for, a time zone or an hour that there is not."""
    with pytest.raises(RowError, match=r"agents\.jsonl:2: \w+") as refused:
        unique_rows(lines(tmp_path, {**MIA, "id": "ag_first"}, bad), AgentIn)
    assert "Value error" not in str(refused.value)


def test_same_id_twice_is_refused(tmp_path: Path) -> None:
    """Which of the two would count is no guess of ours."""
    with pytest.raises(RowError, match="stands there twice"):
        unique_rows(lines(tmp_path, MIA, MIA), AgentIn)
