"""Splits text into search words: parts of a question, and scripts without spaces."""

import re

from graphs.text.bounds import READ_CHARS
from graphs.text.function_words import CLAUSE_JOINS
from graphs.text.tokens import STOPWORDS, UNSPACED, WORD
from graphs.text.value_words import any_of

BORDER = re.compile(rf"(?<=[.!?;:])\s+|(?<=[。！？])|\n+|,\s+(?=(?:{any_of(CLAUSE_JOINS)})\b)")
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


def parts(queries: list[str]) -> list[str]:
    """Each sentence or clause on its own, without stop words, each once.

    A letter asks several things; in one search, the longest question would outweigh the others.
    """
    clauses = [clause for query in queries for clause in BORDER.split(query[:READ_CHARS])]
    parts = (" ".join(spaced(_without_stopwords(clause)).split()) for clause in clauses)
    return [part for part in dict.fromkeys(parts) if WORD.search(part)][:MAX_PARTS]


def sentences(queries: list[str]) -> list[str]:
    """The whole question and each of its sentences, as they were written, each once."""
    whole = "\n".join(query[:READ_CHARS] for query in queries)
    clauses = [clause.strip() for clause in BORDER.split(whole)]
    texts = dict.fromkeys([whole.strip(), *clauses])
    return [text for text in texts if WORD.search(text)][:MAX_PARTS]


def _without_stopwords(text: str) -> str:
    return WORD.sub(lambda word: "" if word[0].casefold() in STOPWORDS else word[0], text)
