"""A trained linear model: reads one text, in plain Python, in time linear in its length."""

import sys
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import NamedTuple, cast, get_args

from graphs.state import Intent
from graphs.trained.features import FEATURES, SIZE, WORD_SIZE, features, words_of

INTENTS: tuple[Intent, ...] = get_args(Intent)


class UnreadableModelError(ValueError):
    """Stored weights do not belong to these features."""


class Reading(NamedTuple):
    """The likeliest intent, and how sure that is, between 0 and 1."""

    intent: Intent
    confidence: float


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A weight for each intent and bucket, and a bit for each word that training has seen."""

    intents: tuple[Intent, ...]
    bias: tuple[float, ...]
    weights: tuple[Sequence[float], ...]
    seen: bytes

    def read(self, text: str) -> Reading:
        """The model's probability, times the share of the text's words that it knows.

        A linear model is as sure of a text about something else as of its own: unknown words are
        what shows that it has learned nothing about it.
        """
        scores = self.scores(features(text))
        best = max(range(len(scores)), key=scores.__getitem__)
        odds = sum(exp(score - scores[best]) for score in scores)
        return Reading(self.intents[best], self.known(text) / odds)

    def scores(self, found: Mapping[int, float]) -> list[float]:
        """Each intent's score; their softmax is the probability."""
        pairs = zip(self.bias, self.weights, strict=True)
        return [bias + sum(own[at] * value for at, value in found.items()) for bias, own in pairs]

    def known(self, text: str) -> float:
        """The share of the text's words that training has seen, 0 of no words."""
        words = words_of(text)
        known = sum(self.seen[word >> 3] >> (word & 7) & 1 for word in words)
        return known / len(words) if words else 0.0


def pack(model: LinearModel) -> bytes:
    """The model as it is stored: the number of features, then little-endian 32-bit floats."""
    head = [float(FEATURES), *(float(INTENTS.index(intent)) for intent in model.intents)]
    numbers = array("f", [float(len(head)), *head, *model.bias])
    for own in model.weights:
        numbers.extend(own)
    if sys.byteorder == "big":
        numbers.byteswap()
    return zlib.compress(numbers.tobytes() + model.seen)


def unpack(stored: bytes) -> LinearModel:
    """The model of `pack`. Raises UnreadableModelError when it belongs to other features."""
    try:
        data = zlib.decompress(stored)
        floats = array("f", data[: len(data) - WORD_SIZE // 8])
    except (zlib.error, ValueError) as error:
        raise UnreadableModelError(str(error)) from None
    if sys.byteorder == "big":
        floats.byteswap()
    numbers = list(floats)
    labels = int(numbers[0]) - 1 if numbers else 0
    # Its length, the head, a bias and the weights of each intent.
    if labels < 2 or numbers[1] != FEATURES or len(numbers) != 2 + labels * (2 + SIZE):
        raise UnreadableModelError("the weights are those of another release")
    intents = tuple(INTENTS[int(number)] for number in numbers[2 : 2 + labels])
    bias = cast("tuple[float, ...]", tuple(numbers[2 + labels : 2 + 2 * labels]))
    start = 2 + 2 * labels
    weights = tuple(floats[start + at * SIZE : start + (at + 1) * SIZE] for at in range(labels))
    return LinearModel(intents, bias, weights, data[len(data) - WORD_SIZE // 8 :])
