"""Words for numbers, months, units and money: one data file for each language that claims are in.

A new language needs a file in `data/values` and nothing else. All of them are looked for in every
text, so a word that another language uses all the time is left out, such as "time" for an hour.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from graphs.text.tokens import UNSPACED_CHARS

# A letter of a script that writes spaces; beside a digit it makes a name of both, such as "E42".
LETTER = rf"[^\W\d_{UNSPACED_CHARS}]"
FILES = Path(__file__).parent / "data" / "values"
_DATA: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(FILES.glob("*.json"))
}


def _all(key: str) -> Iterator[str]:
    """Every language's words under a key of one line."""
    for data in _DATA.values():
        yield from data.get(key, "").split()


def _month_words() -> Iterator[tuple[str, int]]:
    """Each name of a month; where they are written with a capital, "may" is none."""
    for data in _DATA.values():
        for n, names in enumerate(data["months"], 1):
            for name in names.split():
                yield name, n
                if not data.get("months_are_capitalised"):
                    yield name.capitalize(), n


def _mapped(key: str) -> dict[str, str]:
    """From each word of a table to what it stands for."""
    tables = (data[key] for data in _DATA.values())
    lines = [(name, line) for table in tables for name, line in table.items()]
    return {word.casefold(): name for name, line in lines for word in line.split()}


MONTH_NAMES: dict[str, int] = dict(_month_words())
MONTHS = {name.casefold(): n for name, n in MONTH_NAMES.items()}
UNITS = _mapped("units")
BEFORE_UNITS = frozenset(_all("before_units"))
CURRENCIES: dict[str, str] = {
    word: code for data in _DATA.values() for word, code in data["currencies"].items()
}
# The names of currencies in which a refund may be asked for, as typed without accents.
MONEY = _mapped("money")
PERCENT = tuple(word for data in _DATA.values() for word in data["percent"])
CLOCK = frozenset(_all("clock"))
RANGES = frozenset(_all("ranges"))
ABBREVIATIONS = frozenset(_all("abbreviations"))
COUNTERS = tuple(_all("counters"))
# What stands behind digits begins with a thousand; "50 cents" is no French hundred.
THOUSANDS: dict[str, int] = {
    word: n for data in _DATA.values() for word, n in data["scales"].items() if n >= 1000
}
LANGUAGES = frozenset(_DATA)


@cache
def number_words(language: str) -> dict[str, int]:
    """The numbers below a hundred, and others that are one word, in a language; small letters."""
    data = _DATA.get(language)
    if data is None:
        return {}
    ones = {word: n for n, word in enumerate(data["ones"].split(), 1)}
    tens = {word: n for n, word in zip(range(20, 100, 10), data["tens"].split(), strict=False)}
    both = {
        form.format(one=one, ten=ten): m + n
        for form in data["tens_and_ones"]
        for ten, m in tens.items()
        for one, n in _joined_ones(ones).items()
    }
    scaled = {
        f"{word}{scale}": n * data["scales"][scale]
        for scale in data.get("joined_scales", "").split()
        for word, n in _joined_ones(ones).items()
    }
    return {**both, **scaled, **scales(language), **ones, **tens, **data["others"]}


def scales(language: str) -> dict[str, int]:
    """The words that multiply the number before them, such as "hundred"."""
    found: dict[str, int] = _DATA[language]["scales"] if language in _DATA else {}
    return found


def _joined_ones(ones: dict[str, int]) -> dict[str, int]:
    """One to nineteen as they are within a longer number: German says "ein" for "eins" there.

    Up to nineteen, since French counts on from sixty to seventy-nine.
    """
    return {word.removesuffix("s") if word == "eins" else word: n for word, n in ones.items()}


def any_of(words: Iterable[str]) -> str:
    """A pattern for the longest of these words."""
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))
