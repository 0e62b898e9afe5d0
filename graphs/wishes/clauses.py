"""The clauses of a text, and those that a quote touches."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from graphs.alarm import folded

# Ends of sentences; a point inside a number or an address ends none.
SENTENCE = re.compile(r"(?<=[.])\s|(?<=[!?。])|\n\s{0,20}\n")
# Ends of clauses within a sentence.
PART = re.compile(r"(?<=[,;:])\s|(?<=[、])|\s(?=[-\u2013\u2014]\s)")
# What another person says, or what a thing is called.
QUOTED = re.compile('["„“”«»「」][^"„“”«»「」\n]*+["“”«»」]')
NO_LETTER = re.compile(r"[\W_]+")


class Sentence:
    """A sentence without what it quotes, which each of its clauses may ask about."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._held: dict[re.Pattern[str], bool] = {}

    def holds(self, pattern: re.Pattern[str]) -> bool:
        """Whether the pattern is found; it is looked for once, however many clauses ask."""
        if pattern not in self._held:
            self._held[pattern] = pattern.search(self.text) is not None
        return self._held[pattern]


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence in folded letters; `asked` when its sentence is a question."""

    text: str
    sentence: Sentence
    asked: bool


def clauses(text: str, cut: re.Pattern[str]) -> list[Clause]:
    """The clauses of a text, cut at marks and where `cut` says."""
    found = []
    for sentence in SENTENCE.split(folded(text)):
        own = Sentence(QUOTED.sub(" ", sentence))
        asked = sentence.rstrip().endswith("?")
        for part in PART.split(sentence):
            found += [Clause(clause, own, asked) for clause in cut.split(part) if clause.strip()]
    return found


def touched(quote: str, among: list[Clause]) -> set[int]:
    """Which clauses the quote shares a letter with, wherever it stands in the text."""
    ends = list(accumulate(len(bare(clause.text)) for clause in among))
    whole, wanted = "".join(bare(clause.text) for clause in among), bare(folded(quote))
    found: set[int] = set()
    at = whole.find(wanted) if wanted else -1
    while at >= 0:
        found |= set(range(bisect_right(ends, at), bisect_right(ends, at + len(wanted) - 1) + 1))
        at = whole.find(wanted, at + len(wanted))
    return found


def bare(text: str) -> str:
    """The letters and digits of a text alone."""
    return NO_LETTER.sub("", text)
