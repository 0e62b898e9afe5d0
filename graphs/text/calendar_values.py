"""Reads dates and times of a day, in the notations of the product's languages."""

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import NamedTuple

from graphs.text.value_words import CLOCK, LETTER, MONTH_NAMES, any_of

# By their first letters: at each word only the names are tried that begin as it does.
_NAMES = "|".join(
    f"{first}(?:{any_of(name[1:] for name in names)})"
    for first, names in groupby(sorted(MONTH_NAMES), key=lambda name: name[0])
)
_MONTH = rf"(?:{_NAMES})(?!{LETTER})\.?"
_YEAR = r"(?:1[89]|20)\d\d"
_DAY = r"\d{1,2}(?:st|nd|rd|th|er|\.|º)?"
DATES = tuple(
    re.compile(rf"(?<![\d_.,/-])(?<!{LETTER})(?:{pattern})(?!{LETTER}|[\d_/]|[-.,]\d)")
    for pattern in (
        r"(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})(?:T[\d:]{5,8}Z?)?",
        r"(?P<a>\d{1,2})([./-])(?P<b>\d{1,2})\2(?P<y>\d{4}|\d{2})",
        r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.",
        rf"(?P<d>{_DAY})\s(?:of\s|de\s|di\s)?(?P<n>{_MONTH})"
        rf"(?:,?\s(?:de\s|del\s)?(?P<y>{_YEAR}))?",
        rf"(?P<n>{_MONTH})\s(?:the\s)?(?P<d>{_DAY})(?:,?\s(?P<y>{_YEAR}))?",
        rf"(?P<n>{_MONTH})\s(?:de\s|del\s)?(?P<y>{_YEAR})",
        r"(?:(?P<y>\d{4})年)?(?P<m>\d{1,2})月(?P<d>\d{1,2})日",
        r"(?P<y>\d{4})年(?P<m>\d{1,2})月",
    )
)
TIMES = tuple(
    re.compile(rf"(?<![\d_.,:])(?<!{LETTER})(?P<h>\d{{1,2}}){pattern}(?!{LETTER}|[\d_:])")
    for pattern in (
        r"(?::(?P<m>[0-5]\d))?(?::[0-5]\d)?\s?(?P<half>[aApP]\.?[mM])\.?",
        r"[:h](?P<m>[0-5]\d)(?::[0-5]\d)?(?:\s(?i:uhr|uur))?",
        rf"(?:\.(?P<m>[0-5]\d))?\s?(?i:{any_of(CLOCK)})",
        r"時(?!間)(?:(?P<m>\d{1,2})分)?",
    )
)
# In every date and time one of its numbers stands behind no letter.
NUMBER = re.compile(rf"(?=\d)(?<!\d)(?<!{LETTER})")
# Stands for what has been read already.
READ = "\x01"


class Day(NamedTuple):
    """A date, or what of it is named; `either`: month and day may be the other way round."""

    year: int | None
    month: int
    day: int | None
    either: bool = False

    def is_in(self, other: "Day") -> bool:
        """Whether the other date names all that this one does, and the same."""
        year_fits = self.year in (None, other.year)
        here, there = (self.month, self.day), (other.month, other.day)
        turned = (self.either or other.either) and here == there[::-1]
        return year_fits and (here == there or turned or here == (other.month, None))


class Found(NamedTuple):
    """A date or the minutes of a day, and how the text writes it."""

    value: Day | int
    said: str


def dates_in(text: str) -> tuple[list[Found], str]:
    """Every date of the text, and the text without them."""
    return _taken(text, DATES, _date)


def times_in(text: str) -> tuple[list[Found], str]:
    """Every time of a day, and the text without them."""
    return _taken(text, TIMES, _time)


def _taken(
    text: str,
    patterns: Iterable[re.Pattern[str]],
    value_of: Callable[[re.Match[str]], Day | int | None],
) -> tuple[list[Found], str]:
    """What the patterns find, and the text without it, all else in its place."""
    found: list[Found] = []

    def take(match: re.Match[str]) -> str:
        value = value_of(match)
        if value is None:
            return match[0]
        found.append(Found(value, match[0].strip()))
        return READ * len(match[0])

    for pattern in patterns if NUMBER.search(text) else ():
        text = pattern.sub(take, text)
    return found, text


def _date(match: re.Match[str]) -> Day | None:
    parts = match.groupdict()
    year, day = parts.get("y"), parts.get("d")
    full = int(year) + (2000 if len(year) == 2 else 0) if year else None
    if "a" in parts:
        month, number = sorted((int(parts["a"]), int(parts["b"])))
        made = Day(full, month, number, either=number <= 12)
    else:
        name = (parts.get("n") or "").rstrip(".")
        number_of_day = int(re.sub(r"\D", "", day)) if day else None
        made = Day(full, MONTH_NAMES[name] if name else int(parts["m"]), number_of_day)
    return made if 1 <= made.month <= 12 and 1 <= (made.day or 1) <= 31 else None


def _time(match: re.Match[str]) -> int | None:
    parts = match.groupdict()
    hour, minute = int(parts["h"]), int(parts.get("m") or 0)
    if half := parts.get("half"):
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    return hour * 60 + minute if hour <= 24 else None
