"""Fits a linear model with scikit-learn, which is an extra: only training needs it."""

from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, cast

from app.quality.training.examples import Example
from graphs.state import Intent
from graphs.trained.features import SIZE, WORD_SIZE, features, words_of
from graphs.trained.model import LinearModel

# A word that a single ticket holds, a name for one, is not known.
SEEN_TWICE = 2
# Inverse strength of regularisation, and when to stop: of CLINC150's held-out messages 0.975 were
# right, with 10, 200 and 1e-3 0.966.
STRENGTH, ROUNDS, PRECISION = 30.0, 300, 1e-4
# The temperatures that are tried: a model of few tickets is surer than it should be.
TEMPERATURES = tuple(1.15**step for step in range(-8, 12))


def can_train() -> bool:
    """Whether scikit-learn is installed."""
    return find_spec("sklearn") is not None


def fit(train: Sequence[Example], calibrate: Sequence[Example]) -> LinearModel:
    """A multinomial logistic regression whose confidence is right on average on `calibrate`."""
    # An extra, without types.
    from sklearn.linear_model import (  # type: ignore[import-untyped]  # noqa: PLC0415
        LogisticRegression,
    )

    single = [one for one in train if one.intent is not None]
    regression: Any = LogisticRegression(C=STRENGTH, max_iter=ROUNDS, tol=PRECISION)
    regression.fit(matrix([one.text for one in single]), [one.intent for one in single])
    intents = cast("tuple[Intent, ...]", tuple(map(str, regression.classes_)))
    bias, weights = regression.intercept_, regression.coef_
    if len(intents) == 2:
        # For two classes it has one row: how much more the second one is than the first.
        bias, weights = [-bias[0] / 2, bias[0] / 2], [-weights[0] / 2, weights[0] / 2]
    model = LinearModel(
        intents,
        tuple(map(float, bias)),
        tuple([float(weight) for weight in own] for own in weights),
        seen_words(one.text for one in single),
    )
    return cooled(model, temperature(model, calibrate))


def matrix(texts: Sequence[str]) -> Any:
    """The texts' features as a sparse matrix."""
    # Comes with scikit-learn, without types.
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # noqa: PLC0415

    ends, places, values = [0], list[int](), list[float]()
    for text in texts:
        found = features(text)
        places += found.keys()
        values += found.values()
        ends.append(len(places))
    return csr_matrix((values, places, ends), shape=(len(texts), SIZE))


def seen_words(texts: Any) -> bytes:
    """A bit for the bucket of each word that stands in two texts at least."""
    counts = Counter(word for text in texts for word in set(words_of(text)))
    bits = bytearray(WORD_SIZE // 8)
    for word, count in counts.items():
        if count >= SEEN_TWICE:
            bits[word >> 3] |= 1 << (word & 7)
    return bytes(bits)


def temperature(model: LinearModel, calibrate: Sequence[Example]) -> float:
    """What the scores are divided by so that the right intents are as likely as they can be."""
    import numpy  # noqa: ICN001, PLC0415  # comes with scikit-learn

    known = [one for one in calibrate if one.intent in model.intents]
    if not known:
        return 1.0
    scores = numpy.array([model.scores(features(one.text)) for one in known])
    right = [model.intents.index(one.intent) for one in known if one.intent]

    def loss(divisor: float) -> float:
        scaled = scores / divisor
        odds = numpy.log(numpy.exp(scaled - scaled.max(axis=1, keepdims=True)).sum(axis=1))
        own = scaled[range(len(right)), right] - scaled.max(axis=1)
        return float((odds - own).sum())

    return min(TEMPERATURES, key=loss)


def cooled(model: LinearModel, divisor: float) -> LinearModel:
    """The model with its scores divided."""
    return LinearModel(
        model.intents,
        tuple(bias / divisor for bias in model.bias),
        tuple([weight / divisor for weight in own] for own in model.weights),
        model.seen,
    )
