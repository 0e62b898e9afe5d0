"""The wordings of mails that ask nothing, one data file a language, and how they are found."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Set
from functools import cache, cached_property
from pathlib import Path

from graphs.text.bounds import normalized

FOLDER = Path(__file__).parent / "languages"
WORD = re.compile(r"[^\W_]+")
# A bar sets the links of a footer apart; a point within an address or a number ends nothing.
SENTENCE = re.compile(r"(?:[^.!?。！？\n|]|\.(?=\w))+[.!?。！？]?")
# "12. August", "5.8.": a day or a month, and no end of a sentence.
DAY = re.compile(r"(?<!\d)(\d{1,2})\.")
# Languages whose words stand without spaces: a wording is looked for in the bare characters.
UNSPACED = frozenset({"ja"})
# In a wording: any words.
ANYTHING = "..."
Wordings = Mapping[str, tuple[str, ...]]


def folded(text: str) -> str:
    """The text in small letters without accents, so that "REPONSE" is "Réponse"."""
    if text.isascii():
        return text.casefold()
    letters = normalized("NFD", normalized("NFKC", text).casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


class Text:
    """A text as every language's wordings are looked for in it: each form is made once.

    To fold a text is most of what it costs to read it, and one character may become eighteen.
    """

    def __init__(self, written: str) -> None:
        self.written = written

    def in_words(self, language: str) -> str:
        """The words with a space around each; bare characters where no spaces are used."""
        return self._bare if language in UNSPACED else self._spaced

    @cached_property
    def sentences(self) -> list["Text"]:
        """The sentences, each with its mark; a line is one as well."""
        return [Text(said) for said in SENTENCE.findall(DAY.sub(r"\1 ", self.written))]

    def count(self, language: str, cues: tuple[str, ...]) -> int:
        """How many of the wordings of one use in a language stand in the text."""
        return standing(self.in_words(language), self._known, cues)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(["", *self._words])

    @cached_property
    def _words(self) -> list[str]:
        return WORD.findall(folded(self.written))

    @cached_property
    def _bare(self) -> str:
        return "".join(self._words)

    @cached_property
    def _spaced(self) -> str:
        return f" {' '.join(self._words)} "


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


def subject_prefixes() -> list[str]:
    """What mail programs of any language put before a subject, the longest first."""
    found = {cue.strip() for known in wordings().values() for cue in known["prefixes"]}
    return sorted(found, key=lambda prefix: (-len(prefix), prefix))


def _cue(said: str, language: str) -> str:
    if ANYTHING in said:
        return ANYTHING.join(Text(part).in_words(language) for part in said.split(ANYTHING))
    words = Text(said).in_words(language)
    return words.removesuffix(" ") if said.endswith("*") else words


def standing(words: str, known: Set[str], cues: tuple[str, ...]) -> int:
    """How many of the wordings stand in the text; `known` are its words, and ""."""
    by_word = _by_word(cues)
    return sum(cue in words for word in by_word.keys() & known for cue in by_word[word])


@cache
def _by_word(cues: tuple[str, ...]) -> dict[str, list[str]]:
    """The wordings by a word that a text must have to hold them; "" where none is whole.

    Of hundreds of wordings only those are looked for whose word the text has.
    """
    found: dict[str, list[str]] = {}
    for cue in cues:
        whole = cue.split() if cue.startswith(" ") else []
        if whole and not cue.endswith(" "):
            whole.pop()
        found.setdefault(max(whole, key=len, default=""), []).append(cue)
    return found


def holds(words: str, cues: Iterable[str]) -> bool:
    """Whether one of the wordings stands in the text, which `Text.in_words` has prepared."""
    return any(cue in words for cue in cues)
