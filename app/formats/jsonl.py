"""Rows of a JSONL file, each held to a model; the first line that is no such row is named."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.log.error_text import wrong_value

R = TypeVar("R", bound=BaseModel)


class RowError(ValueError):
    """A line is no such row, or the rows do not fit together; the message says which."""


def read_rows(path: Path, model: type[R]) -> list[R]:
    """Each row of the file, in its order; blank lines count for nothing.

    Raises:
        RowError: a line is no JSON, or does not fit the model.
        OSError, UnicodeDecodeError: the file cannot be read.
    """
    return [row for _, row in _rows(path, model)]


def unique_rows(path: Path, model: type[R]) -> list[R]:
    """The same for rows whose `id` is their own; RowError also for one that stands there twice."""
    found: dict[str, R] = {}
    for where, row in _rows(path, model):
        id_ = str(row.model_dump(include={"id"})["id"])
        if id_ in found:
            raise RowError(f"{where}: the id {id_!r} stands there twice")
        found[id_] = row
    return list(found.values())


def _rows(path: Path, model: type[R]) -> Iterator[tuple[str, R]]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                where = f"{path}:{number}"
                yield where, _row(line, model, where)


def _row(line: str, model: type[R], where: str) -> R:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the line"
        raise RowError(f"{where}: {place}: {wrong_value(first['msg'])}") from None
