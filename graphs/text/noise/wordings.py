"""The wordings of mails that ask nothing, one data file a language, and how they are found."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from graphs.text.bounds import normalized

FOLDER = Path(__file__).parent / "languages"
WORD = re.compile(r"[^\W_]+")
# A bar sets the links of a footer apart.
SENTENCE = re.compile(r"[^.!?。！？\n|]+[.!?。！？]?")
# "12. August", "5.8.": a day or a month, and no end of a sentence.
DAY = re.compile(r"(?<!\d)(\d{1,2})\.")
# Languages whose words stand without spaces: a wording is looked for in the bare characters.
UNSPACED = frozenset({"ja"})
Wordings = Mapping[str, tuple[str, ...]]


def folded(text: str) -> str:
    """The text in small letters without accents, so that "REPONSE" is "Réponse"."""
    letters = normalized("NFD", normalized("NFKC", text).casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def sentences(text: str) -> list[str]:
    """The sentences of the text, each with its mark; a line is one as well."""
    return SENTENCE.findall(DAY.sub(r"\1 ", text))


def in_words(text: str, language: str) -> str:
    """The words of the text with a space around each; bare characters where no spaces are used."""
    words = WORD.findall(folded(text))
    return "".join(words) if language in UNSPACED else f" {' '.join(words)} "


@cache
def wordings() -> dict[str, Wordings]:
    """Every language's wordings by their use, in the form in which texts are searched for them."""
    return {
        path.stem: {
            use: tuple(_cue(said, path.stem) for said in said_so)
            for use, said_so in tomllib.loads(path.read_text(encoding="utf-8")).items()
        }
        for path in sorted(FOLDER.glob("*.toml"))
    }


def _cue(said: str, language: str) -> str:
    words = in_words(said, language)
    return words.removesuffix(" ") if said.endswith("*") else words


def holds(words: str, cues: Iterable[str]) -> bool:
    """Whether one of the wordings stands in the text, which `in_words` has prepared."""
    return any(cue in words for cue in cues)
