"""The part of a ticket that one specialist sees. Narrowing never loses text."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from graphs.state import SPECIALISTS, Intent, Specialist, SupportState, Ticket
from graphs.text.function_words import JOINING_WORDS
from graphs.text.value_words import any_of

# A word that adds something, or the head of a list item.
JOIN = rf"(?:(?:{any_of(JOINING_WORDS)})\s|\d{{1,2}}[.)]\s)"
# A clause ends after a full stop (not that of "1."), a semicolon, a comma or a line, and before a
# word that adds something. Finer cuts than needed do no harm: a quote spans several clauses.
CLAUSE_END = re.compile(
    rf"(?<=[.!?;,])(?<!^\d[.])(?<!\s\d[.])\s+|(?<=[。！？、；])|\n+|(?<!\s)\s+(?={JOIN})"
)
WORDS = re.compile(r"\S+")
JOINS = re.compile(rf"(?:{JOIN}\W*)+", re.IGNORECASE)


def clauses(text: str) -> list[str]:
    """The text cut into clauses, white space included: joined they are the text again."""
    cuts = [0, *(match.end() for match in CLAUSE_END.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if start < end]


def parts_of(body: str, quotes: Sequence[tuple[Intent, str]]) -> dict[Specialist, str]:
    """What each quoted specialist sees of `body`; one that is not named here sees all of it.

    A clause is kept from a specialist only when quotes of others cover all that it says and none
    of its own touches it. A specialist with a quote that the body does not hold sees all of it.
    """
    marks: dict[Specialist, bytearray] = {}
    doubtful: set[Specialist] = set()
    located = places([quote for _, quote in quotes], body)
    for name in SPECIALISTS:
        for (intent, _), spans in zip(quotes, located, strict=True):
            if intent != name:
                continue
            marked = marks.setdefault(name, bytearray(len(body)))
            for start, end in spans:
                marked[start:end] = b"\1" * (end - start)
            doubtful |= set() if spans else {name}
    narrowed = {name: narrow(body, name, marks) for name in marks if name not in doubtful}
    return {name: part for name, part in narrowed.items() if part and part != body.strip()}


def places(quotes: Sequence[str], text: str) -> list[list[tuple[int, int]]]:
    """Where each quote stands in the text, whatever white space is between its words."""
    words = [match.span() for match in WORDS.finditer(text)]
    plain = " ".join(text[start:end] for start, end in words)
    # Where each word begins in `plain`, and how far before its place in the text that is.
    begins = [0, *accumulate(end - start + 1 for start, end in words)]
    shifts = [start - begin for (start, _), begin in zip(words, begins, strict=False)]

    def in_text(at: int) -> int:
        return at + shifts[bisect_right(begins, at) - 1]

    return [
        [(in_text(start), in_text(end - 1) + 1) for start, end in spans_of(quote, plain)]
        for quote in quotes
    ]


def spans_of(quote: str, plain: str) -> Iterator[tuple[int, int]]:
    """Each place of the quote in a text with single spaces; none lies within another."""
    wanted = " ".join(quote.split())
    end = 0
    while wanted and (start := plain.find(wanted, end)) >= 0:
        end = start + len(wanted)
        yield start, end


def narrow(body: str, name: Specialist, marks: dict[Specialist, bytearray]) -> str:
    """The clauses of the body that are not wholly others'."""
    own = marks[name]
    others = [marked for other, marked in marks.items() if other != name]
    kept, start = [], 0
    for clause in clauses(body):
        a, b = (start + edge for edge in core(clause))
        theirs = a < b and all(any(marked[at] for marked in others) for at in range(a, b))
        if any(own[a:b]) or not theirs:
            kept.append(clause)
        start += len(clause)
    return "".join(kept).strip()


def core(clause: str) -> tuple[int, int]:
    """Where the clause says something: without its punctuation and the word that joins it."""
    said = [at for at, character in enumerate(clause) if character.isalnum()]
    if not said:
        return 0, 0
    joined = JOINS.match(clause, said[0])
    first = joined.end() if joined and joined.end() <= said[-1] else said[0]
    return first, said[-1] + 1


def part_for(state: SupportState, specialist: Specialist) -> Ticket:
    """The ticket as this specialist sees it: its subject, and its part of the body."""
    ticket, triage = state["ticket"], state["triage"]
    part = triage["parts"].get(specialist) if triage else None
    return {**ticket, "body": part} if part else ticket
