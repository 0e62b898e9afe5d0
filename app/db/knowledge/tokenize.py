"""Splits text into search words: parts of a question, and scripts without spaces."""

import re

from graphs.text.bounds import READ_CHARS
from graphs.text.function_words import CLAUSE_JOINS
from graphs.text.tokens import STOPWORDS, UNSPACED, WORD
from graphs.text.value_words import any_of

# Each border begins with a character of its own, so that only those are tried.
BORDER = re.compile(
    rf"[\s,](?:(?<=[.!?;:]\s)\s*|(?<=\n)\n*|(?<=,)\s+(?=(?:{any_of(CLAUSE_JOINS)})\b))"
)
END = re.compile("[。！？]")
MAX_PARTS = 40


def spaced(text: str) -> str:
    """The text with pairs of neighbouring characters in place of words without spaces between them.

    Overlapping pairs find words without a dictionary. Source: Manning, Raghavan, Schütze,
    Introduction to Information Retrieval (2008), 2.2.1.
    """
    return UNSPACED.sub(lambda run: f" {_pairs(run[0])} ", text)


def plain(text: str) -> str:
    """The words that carry meaning, in small letters, each between two spaces."""
    words = WORD.findall(spaced(text).casefold())
    return " ".join(word for word in words if word not in STOPWORDS)


def _pairs(run: str) -> str:
    return " ".join(run[i : i + 2] for i in range(max(1, len(run) - 1)))


def clauses(text: str) -> list[str]:
    """The sentences and clauses; some are blank."""
    return BORDER.split(END.sub(r"\g<0>\n", text))


def parts(queries: list[str]) -> list[str]:
    """Each sentence or clause on its own, without stop words, each once.

    A letter asks several things; in one search, the longest question would outweigh the others.
    """
    found: dict[str, None] = {}
    for clause in dict.fromkeys(said for query in queries for said in clauses(query[:READ_CHARS])):
        part = " ".join(spaced(_without_stopwords(clause)).split())
        if WORD.search(part):
            found[part] = None
        if len(found) == MAX_PARTS:
            break
    return list(found)


def sentences(queries: list[str]) -> list[str]:
    """The whole question and each of its sentences, as they were written, each once."""
    whole = "\n".join(query[:READ_CHARS] for query in queries)
    texts = dict.fromkeys([whole.strip(), *(clause.strip() for clause in clauses(whole))])
    return [text for text in texts if WORD.search(text)][:MAX_PARTS]


def _without_stopwords(text: str) -> str:
    return WORD.sub(lambda word: "" if word[0].casefold() in STOPWORDS else word[0], text)
