"""Features of a text: hashed words, word pairs and parts of words. The same for ever, by CRC-32.

Stored weights belong to these features: a change of one raises FEATURES, and models of an
older number are no longer read.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from math import log, sqrt
from zlib import crc32

from graphs.alarm import folded
from graphs.text.tokens import UNSPACED, WORD

FEATURES = 1
# Numbers of buckets: for all features, and for the words that training has seen.
SIZE, WORD_SIZE = 2**15, 2**18
# What is read of a ticket, in characters; a mail's newest text stands first.
TRAINED_CHARS = 1_000
DIGITS = re.compile(r"\d+")
# Lengths of the parts of a word: shorter ones where a script has no spaces between words.
PARTS, UNSPACED_PARTS = (3, 4, 5), (1, 2, 3)


def canonical(text: str) -> str:
    """The text as it is read: one spelling, one blank between words, and 0 for every number."""
    words = WORD.findall(DIGITS.sub("0", folded(text[:TRAINED_CHARS])))
    return " ".join(words)


def features(text: str) -> dict[int, float]:
    """The buckets that the text falls into, weighted so that their squares add up to 1."""
    found = Counter(crc32(name.encode()) % SIZE for name in names(canonical(text)))
    weights = {bucket: 1 + log(count) for bucket, count in found.items()}
    length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {bucket: weight / length for bucket, weight in weights.items()}


def names(plain: str) -> Iterator[str]:
    """Words, pairs of words and parts of words of a canonical text."""
    words = plain.split()
    for word in words:
        yield f"w {word}"
        sizes = UNSPACED_PARTS if UNSPACED.search(word) else PARTS
        edged = f" {word} "
        for size in sizes:
            yield from (f"c {edged[at : at + size]}" for at in range(len(edged) - size + 1))
    yield from (f"p {first} {second}" for first, second in pairwise(words))


def words_of(text: str) -> list[int]:
    """The buckets of the text's words, in order, for what training has seen."""
    return [crc32(word.encode()) % WORD_SIZE for word in canonical(text).split()]
