"""Text of others on a terminal: shown as it is, obeyed never."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from app.commands.terminal import age, clock, inert, one_line
from app.log.inert_text import ACTIVE

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def printed(text: str) -> str:
    """What a colourless terminal of that text gets."""
    console = Console(width=10_000, highlight=False, emoji=False, no_color=True)
    with console.capture() as capture:
        console.print(inert(text), soft_wrap=True)
    return capture.get()


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_printed(text: str) -> None:
    """Whatever the text: no control but the line feed, no mark that reorders, no surrogate."""
    shown = printed(text)
    assert not ACTIVE.search(shown)
    shown.encode()


# Letters by Unicode, which no font draws.
FILLERS = "\u115f\u1160\u3164\uffa0"


@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters=FILLERS)))
def test_ordinary_text_is_printed_as_it_is(text: str) -> None:
    """Letters, digits, signs and punctuation of any script, and what rich would take as markup."""
    assert printed(text) == f"{text}\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb", r"a\rb"),
        ("a\r\nb", "a\nb"),
        ("a\tb", "a    b"),
        ("[red]x[/] :skull:", "[red]x[/] :skull:"),
        ("\u202eevil", r"\u202eevil"),
        ("\ud800", r"\ud800"),
        ("Ann\u200b", r"Ann\u200b"),
        ("\u3164", r"\u3164"),
        ("ok\U000e0041\U000e007f", r"ok\U000e0041\U000e007f"),
        ("x\U000e0100", r"x\U000e0100"),
        (
            "\u2764\ufe0f \U0001f469\u200d\U0001f4bb \u0645\u06cc\u200c\u062e",
            "\u2764\ufe0f \U0001f469\u200d\U0001f4bb \u0645\u06cc\u200c\u062e",
        ),
        (None, "None"),
    ],
)
def test_what_is_active_stands_there_escaped(text: object, shown: str) -> None:
    """A reader sees that something was there, and what it was."""
    assert inert(text).plain == shown


@pytest.mark.parametrize(
    ("text", "shown"), [("a\n b\t c", "a b c"), ("x" * 10, "x" * 10), ("x" * 11, "x" * 9 + "…")]
)
def test_one_line_is_one_line_of_bounded_length(text: str, shown: str) -> None:
    """White space is one blank, and what is too long is cut to the length with an ellipsis."""
    assert one_line(text, 10) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (59, "59s"), (60, "1m"), (200, "3m 20s"), (3600, "1h"), (90_061, "1d 1h"),
     (-200, "3m 20s"), (86_400 + 60, "1d")],
)  # fmt: skip
def test_age_is_in_the_two_largest_units(seconds: int, shown: str) -> None:
    """How long ago, or in how long, short enough for a column."""
    assert age(NOW - timedelta(seconds=seconds), NOW) == shown


def test_clock_has_a_date_only_on_another_day() -> None:
    """Steps of one day are distinguished by milliseconds, those after a long pause by the date."""
    at = NOW + timedelta(milliseconds=7)
    assert clock(at, NOW) == "12:00:00.007"
    assert clock(at, NOW - timedelta(days=1)) == "2026-11-28 12:00:00.007"
