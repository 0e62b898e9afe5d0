"""deskgraph tools: lists the tools and effects of the catalog."""

from inspect import getdoc
from typing import Any, NamedTuple

from rich.table import Column, Table

from tools.catalog import EFFECTS, READS
from tools.effect import Effect
from tools.tool import Tool


class Row(NamedTuple):
    """A tool as a reader needs to know it."""

    name: str
    permission: str
    gated: str
    key: str
    after_unknown_end: str


def rows() -> list[Row]:
    """Every tool: those that only read, then the effects."""
    return [*map(_read, READS), *map(_effect, EFFECTS.values())]


def table() -> Table:
    """The rows for a terminal."""
    listed = rows()
    # A narrow terminal breaks every other column before the name, which is what one types.
    whole = max(len(row.name) for row in listed)
    drawn = Table(Column("name", no_wrap=True, min_width=whole))
    for name in Row._fields[1:]:
        drawn.add_column(name.replace("_", " "), overflow="fold")
    for row in listed:
        drawn.add_row(*row)
    return drawn


def _read(tool: Tool[Any]) -> Row:
    return Row(tool.name, tool.permission, "no", "none, only reads", "called again")


def _effect(effect: Effect[Any]) -> Row:
    after = "called again" if effect.repeatable else "a person looks"
    if effect.find is not None:
        more = ", then called again if its port promises that it is safe"
        after = f"asked for by key{more if effect.repeatable else ''}"
    return Row(
        effect.name,
        effect.permission,
        "yes" if effect.gated else "no",
        (getdoc(effect.key) or "").partition("\n")[0],
        after,
    )
