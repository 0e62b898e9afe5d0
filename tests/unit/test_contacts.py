"""A file of contacts: what is no contact is refused with file and line, before anything."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.commands.contacts import ContactIn
from app.formats.jsonl import RowError, unique_rows

ANN = {"id": "c1", "email": "ann@example.com", "name": "Ann", "segments": ["pro"]}


def lines(folder: Path, *rows: Any) -> Path:
    """A JSONL file."""
    path = folder / "contacts.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
    return path


def test_contacts_are_read_as_they_stand(tmp_path: Path) -> None:
    """Empty lines are skipped; segments and unsubscribed may be left out."""
    bob = {"id": "c2", "email": "b.o'b+x@mail.example.co.uk", "name": "Bób 日本"}
    read = unique_rows(lines(tmp_path, ANN, "", bob), ContactIn)
    assert [c.model_dump() for c in read] == [
        {**ANN, "unsubscribed": False},
        {**bob, "segments": [], "unsubscribed": False},
    ]


BAD: list[Any] = [
    "not json",
    "[]",
    "null",
    {**ANN, "id": "c2", "email": "ann"},
    {**ANN, "id": "c2", "email": "ann@localhost"},
    {**ANN, "id": "c2", "email": "a@b.example, c@d.example"},
    {**ANN, "id": "c2", "email": "a@b.example\r\nBcc: x@y.example"},
    {**ANN, "id": "c2", "email": "a@b.example\n"},
    {**ANN, "id": "c2", "email": "ä@b.example"},
    {**ANN, "id": "c2", "email": "<a@b.example>"},
    {**ANN, "id": "c2", "name": ""},
    {**ANN, "id": "c2", "name": "Ann\r\nBcc: x@y.example"},
    {**ANN, "id": "c2", "segments": ["all"]},
    {**ANN, "id": "c2", "segments": ["Pro Plan"]},
    {**ANN, "id": "c2", "segments": "pro"},
    {**ANN, "id": "c2", "unsubscribed": "no"},
    {**ANN, "id": "c2", "phone": "1"},
    {**ANN, "id": "c 2"},
    {"email": "a@b.example", "name": "A"},
    ANN,
]


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_line_that_is_no_contact_is_named(tmp_path: Path, bad: Any) -> None:
    """An address that could be two, a header in a name, a reserved segment, the same id twice."""
    with pytest.raises(RowError, match=r"contacts\.jsonl:2: "):
        unique_rows(lines(tmp_path, ANN, bad), ContactIn)
