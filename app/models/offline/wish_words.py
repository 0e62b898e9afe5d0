"""The words by which the offline model reads wishes, from data files: one for each language."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "wish_words"


@cache
def wish_words(name: str) -> tuple[str, ...]:
    """One list, of every language that has it: expressions in small letters, each once."""
    lists = [tomllib.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.toml"))]
    return tuple(dict.fromkeys(word for of_one in lists for word in of_one.get(name, ())))


def any_word(*names: str) -> str:
    """The expression that finds one of these lists, for others to be made of."""
    return _alternatives(word for name in names for word in wish_words(name))


def pattern(*names: str) -> re.Pattern[str]:
    """What one of these lists finds, within words as well, in letters of either size."""
    return re.compile(any_word(*names), re.IGNORECASE)


def word_pattern(*names: str) -> re.Pattern[str]:
    """The same for whole words alone."""
    return re.compile(rf"\b{any_word(*names)}\b", re.IGNORECASE)


def _alternatives(expressions: Iterable[str]) -> str:
    return f"(?:{'|'.join(expressions)})"
