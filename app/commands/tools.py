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
    drawn = Table(*(Column(name.replace("_", " "), no_wrap=name == "name") for name in Row._fields))
    for row in rows():
        drawn.add_row(*row)
    return drawn


def _read(tool: Tool[Any]) -> Row:
    return Row(tool.name, tool.permission, "no", "none, only reads", "called again")


def _effect(effect: Effect[Any]) -> Row:
    after = "called again" if effect.repeatable else "a person looks"
    if effect.find is not None and not effect.repeatable:
        after = "asked for by key"
    return Row(
        effect.name,
        effect.permission,
        "yes" if effect.gated else "no",
        (getdoc(effect.key) or "").partition("\n")[0],
        after,
    )
