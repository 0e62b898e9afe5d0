"""The words of the offline model, from data files: one for each language, looked for in all.

A message is short and may be in any language, so none is guessed first.
"""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from graphs.alarm import any_of, folded
from graphs.text.tokens import UNSPACED, WORD

FOLDER = Path(__file__).parent / "words"
LANGUAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def words(language: str) -> dict[str, tuple[str, ...]]:
    """Every list of one language, written as `spoken` writes a message."""
    lists = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    return {name: tuple(spoken(phrase) for phrase in phrases) for name, phrases in lists.items()}


@cache
def anywhere(name: str) -> re.Pattern[str]:
    """The phrases of one list in every language."""
    return any_of(phrase for language in LANGUAGES for phrase in words(language)[name])


@cache
def phrases(language: str, *names: str) -> re.Pattern[str]:
    """The phrases of some lists of one language."""
    return any_of(phrase for name in names for phrase in words(language)[name])


def spoken(text: str) -> str:
    """The words of a text in small letters, one space between them.

    Letters of a script without spaces stand apart from others: "E42エラー" is two words.
    """
    apart = UNSPACED.sub(lambda run: f" {run[0]} ", folded(text))
    return " ".join(WORD.findall(apart))


def without(text: str, pattern: re.Pattern[str], times: int = 0) -> str:
    """What `spoken` made, less what the pattern finds: so many times, or wherever it stands."""
    return " ".join(pattern.sub(" ", text, count=times).split())


def one_of(text: str, names: Iterable[str], language: str) -> str | None:
    """The name of the list of which a phrase begins the text, or in Japanese ends it."""
    for name in names:
        found = phrases(language, name).search(text)
        if found and (found.start() == 0 or UNSPACED.search(found[0])):
            return name
    return None
