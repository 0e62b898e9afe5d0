"""What commands print for people: text of customers and models made inert, times, one table style.

A terminal obeys escape sequences, and rich obeys markup in a plain `str`. Whatever comes from a
row is therefore printed as the `Text` that `inert` makes, never as a string.
"""

import shlex
import shutil
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.console import Console, OverflowMethod
from rich.table import Table
from rich.text import Text

from app.log.inert_text import inert_text

# What a list is wide when no terminal says how wide it is: a line a row for grep and cut.
PIPED_COLUMNS = 200
# Below it a list leaves out what can be looked up by the id.
WIDE_COLUMNS = 110
ID_CHARACTERS = 36


def inert(value: object, style: str = "") -> Text:
    """The value as text that a terminal only shows; what it would obey stands there escaped."""
    text = str(value).replace("\r\n", "\n").replace("\t", "    ")
    return Text(inert_text(text), style)


def one_line(value: object, characters: int) -> str:
    """The text with every run of white space as one blank, cut to so many characters."""
    text = " ".join(str(value).split())
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


def console(piped_columns: int = PIPED_COLUMNS) -> Console:
    """Standard output; as wide as the terminal, or so many columns in a pipe or a file."""
    found = Console(highlight=False, emoji=False)
    if not found.is_terminal:
        found.width = piped_columns
    return found


def plain_table(
    *heads: str, widths: tuple[int, ...] = (), overflow: OverflowMethod = "fold"
) -> Table:
    """A table without a frame; the first columns have `widths` at least and stay in one line."""
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 2, 0, 0),
        collapse_padding=True,
        header_style="bold",
    )
    for head, width in zip_longest(heads, widths):
        whole = width is not None
        table.add_column(
            head,
            overflow="fold" if whole else overflow,
            no_wrap=whole or overflow == "ellipsis",
            min_width=width,
        )
    return table


def add_row(table: Table, *cells: object, style: str = "") -> None:
    """Add a row of inert cells; None is an empty one."""
    table.add_row(*("" if cell is None else inert(cell) for cell in cells), style=style)


def facts(named: Mapping[str, object]) -> Table:
    """Names and values side by side; what is empty is left out, an `error` is red."""
    grid = Table.grid(padding=(0, 2))
    for name, value in named.items():
        if value not in (None, "", {}):
            grid.add_row(inert(name, "dim"), inert(value, "red" if name == "error" else ""))
    return grid


def moment(at: datetime | None) -> str:
    """A time in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def clock(at: datetime, day: datetime) -> str:
    """A time in UTC to the millisecond, without its date where that is the date of `day`."""
    at, day = at.astimezone(UTC), day.astimezone(UTC)
    date = "" if at.date() == day.date() else f"{at:%Y-%m-%d} "
    return f"{date}{at:%H:%M:%S}.{at.microsecond // 1000:03}"


def age(at: datetime, now: datetime) -> str:
    """How long ago, or in how long, in the two largest units: `3m 20s`, `2d 4h`."""
    seconds = int(abs((now - at).total_seconds()))
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m")]
    parts.append((seconds % 60, "s"))
    first = next((at for at, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count}{unit}" for count, unit in parts[first : first + 2] if count) or "0s"


def duration(milliseconds: int | None) -> str:
    """Milliseconds up to a second, seconds above."""
    if milliseconds is None:
        return ""
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def usd(cost: Any) -> str:
    """A cost in US dollars; a price that is not known is named as such."""
    return "unknown" if cost is None else f"{float(cost):.4f} USD"


def typed(arguments: str) -> str:
    """A command of ours as it can be typed here: `deskgraph` if the shell finds this very one.

    `make run` starts it from a `.venv` that no shell searches: then it is the path it was started
    by, or the interpreter and the module.
    """
    started, found = Path(sys.argv[0]), shutil.which("deskgraph")
    if started.name == "cli.py":
        return f"{shlex.quote(sys.executable)} -m app.cli {arguments}"
    elsewhere = found is None or not (started.exists() and started.samefile(found))
    if started.name == "deskgraph" and elsewhere:
        return f"{shlex.quote(sys.argv[0])} {arguments}"
    return f"deskgraph {arguments}"


def complain(text: object) -> None:
    """Say on standard error what is wrong; what a terminal would obey stands there escaped."""
    typer.echo(inert(text).plain, err=True)


def failure(text: str) -> typer.Exit:
    """Say on standard error what went wrong and what to do next; raise the answer, exit code 1."""
    complain(text)
    return typer.Exit(1)
