"""The words by which wishes are read, one data file a language, as patterns."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from graphs.alarm import any_of

# The patterns of one language by kind.
Words = Mapping[str, re.Pattern[str]]
FOLDER = Path(__file__).parent / "words"
# The kinds whose words may stand in a plain request.
KNOWN = (
    "understood",
    "asks",
    "polite",
    "money",
    "orders",
    "fillers",
    "complaint",
    "every",
    "single",
)
# Before the verb of an order stand at most so many words, such as "hello and".
FILLERS = 3


@cache
def languages() -> Mapping[str, Words]:
    """What each kind of word of each language looks like, by language and kind."""
    files = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.toml"))}
    return {
        language: {**_patterns(tomllib.loads(text)), "known_words": known_words(language)}
        for language, text in files.items()
    }


@cache
def known_words(language: str) -> re.Pattern[str]:
    """Every word that may stand in a plain request of a language."""
    words = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    phrases = [phrase for kind in KNOWN for phrase in words[kind]]
    return any_of(word for phrase in phrases for word in phrase.split() if word != "...")


def _patterns(words: Mapping[str, list[str]]) -> dict[str, re.Pattern[str]]:
    """One pattern for each kind; an order stands at the beginning and is no heading."""
    patterns = {kind: any_of(phrases) for kind, phrases in words.items()}
    fillers, orders, headings = (
        patterns[k].pattern.strip("|") for k in ("fillers", "orders", "headings")
    )
    begin = rf"\W{{0,3}}(?:(?:{fillers})\W{{1,3}}){{0,{FILLERS}}}"
    order = rf"{begin}(?:{orders})(?=\W*\w)(?!\W{{0,2}}(?:{headings}))"
    # "please" cuts where an order follows, and not where it stands last.
    cut = rf"\s(?=(?:{patterns['cuts'].pattern})(?:\s+\S+){{2}})"
    return {**patterns, "order": re.compile(order), "cut": re.compile(cut)}
