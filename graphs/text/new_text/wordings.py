"""The wordings of quotes, headers, signatures and disclaimers, one data file a language.

A mail may mix languages, so the wordings of all of them are known at once.
"""

import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from graphs.text.noise.wordings import UNSPACED, WORD, folded, standing

FOLDER = Path(__file__).parent / "languages"
# No wording stands behind the first characters of a line; a paragraph in one line is longer.
LINE_CHARS = 1_000
# No wording is looked for in a text of fewer characters, the blanks around it included.
SHORTEST = 4


def words_of(text: str) -> str:
    """The words of a line in small letters without accents, with a space around each."""
    return _words_of(text[:LINE_CHARS])


# Every rule looks at the lines of the same message.
@lru_cache(maxsize=512)
def _words_of(line: str) -> str:
    return f" {' '.join(WORD.findall(folded(line)))} "


@cache
def wordings() -> Mapping[str, tuple[str, ...]]:
    """Every language's wordings by their use, in the form of `words_of`.

    The keys of a header block are uses as well: "from", "date", "to", "subject", "other". A
    wording of a language without spaces stands bare, since it begins and ends anywhere.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        read = tomllib.loads(path.read_text(encoding="utf-8"))
        for use, said in {**read, **read.pop("headers")}.items():
            bare = path.stem in UNSPACED
            found.setdefault(use, []).extend(
                words_of(one).strip() if bare else words_of(one) for one in said
            )
    return {use: tuple(dict.fromkeys(said)) for use, said in found.items()}


@lru_cache(maxsize=512)
def _known(words: str) -> frozenset[str]:
    return frozenset(words.split(" "))


@cache
def _beginnings(use: str) -> tuple[str, ...]:
    return tuple(form for said in wordings()[use] for form in (said, f" {said}"))


@cache
def exactly(use: str) -> frozenset[str]:
    """The wordings of a use, for a line that is nothing else."""
    return frozenset(f" {said.strip()} " for said in wordings()[use])


def count(words: str, use: str) -> int:
    """How many wordings of the use stand in the text, which `words_of` has prepared."""
    if len(words) < SHORTEST:
        return 0
    return standing(words, _known(words), wordings()[use])


def begins(words: str, use: str) -> bool:
    """Whether the text begins with a wording of the use."""
    return words.startswith(_beginnings(use))
