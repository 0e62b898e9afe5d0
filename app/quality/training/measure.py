"""Trains one model, and measures it on tickets that it did not see."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.quality.training.examples import OUT_OF_SCOPE, Example, each_once, split
from app.quality.training.fit import fit
from graphs.trained.figures import Counted, buckets, share, threshold
from graphs.trained.model import LinearModel, Reading, pack, unpack

# Fewer teach nothing: 40 held-out tickets say within 8 of 100 how many are right.
MIN_EXAMPLES, MIN_OF_INTENT = 200, 20


class TooFewError(ValueError):
    """There are too few labelled tickets; the message says how many are needed."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A model as it is stored, its threshold, its figures, and what it was measured on."""

    weights: bytes
    threshold: float | None
    figures: dict[str, Any]
    held_out: Sequence[Example]


def train(examples: Sequence[Example], done: Callable[[], object] = lambda: None) -> Trained:
    """Fit, calibrate and measure; `done` is called after each. Raises TooFewError."""
    once = each_once(examples)
    enough(once)
    parts = split(once)
    weights = pack(fit(parts["train"], parts["calibrate"]))
    done()
    # What is measured is what will be read.
    model = unpack(weights)
    limit = threshold(counted(model, parts["calibrate"]))
    done()
    figures = measured(model, parts["held_out"], limit)
    figures["rows"] = {
        "given": len(examples),
        "several_intents": sum(one.intent is None for one in once),
        "train": len(parts["train"]),
        "calibrate": len(parts["calibrate"]),
        "held_out": len(parts["held_out"]),
    }
    done()
    return Trained(weights, limit, figures, parts["held_out"])


def enough(examples: Sequence[Example]) -> None:
    """Raises TooFewError for fewer tickets, or intents, than a model can be made and judged of."""
    counts = Counter(one.intent for one in examples if one.intent)
    if counts.total() < MIN_EXAMPLES:
        raise TooFewError(
            f"{counts.total()} labelled tickets of one intent, each counted once; "
            f"a model needs {MIN_EXAMPLES}"
        )
    few = [f"{intent} {count}" for intent, count in counts.items() if count < MIN_OF_INTENT]
    if few or len(counts) < 2:
        raise TooFewError(
            f"a model needs two intents, and {MIN_OF_INTENT} tickets of each that occurs; "
            f"there are {', '.join(few) or 'only those of one'}"
        )


def counted(model: LinearModel, examples: Sequence[Example]) -> list[Counted]:
    """How sure the model is of each, and whether it is right."""
    return [Counted(read.confidence, right) for read, right in _read(model, examples)]


def _read(model: LinearModel, examples: Sequence[Example]) -> list[tuple[Reading, bool]]:
    read = [(model.read(one.text), one.intent) for one in examples]
    return [(reading, reading.intent == intent) for reading, intent in read]


def measured(
    model: LinearModel, held_out: Sequence[Example], limit: float | None
) -> dict[str, Any]:
    """The figures on tickets that the model has not seen."""
    read = _read(model, held_out)
    all_of_them = [Counted(reading.confidence, right) for reading, right in read]
    sure = [one for one in all_of_them if limit is not None and one.confidence >= limit]
    pairs = list(zip(held_out, all_of_them, strict=True))
    intents = sorted({one.intent for one in held_out if one.intent})
    return {
        "all": share(all_of_them),
        "from_threshold": share(sure),
        "buckets": [bucket for bucket in buckets(all_of_them) if bucket["tickets"]],
        "intents": {
            intent: share([one for example, one in pairs if example.intent == intent])
            for intent in intents
        },
        "out_of_scope": recall(held_out, [reading for reading, _ in read], limit),
    }


def recall(
    held_out: Sequence[Example], read: Sequence[Reading], limit: float | None
) -> dict[str, int]:
    """How many tickets that are out of scope the model gave to a person, or did not decide."""
    strange = [
        reading
        for example, reading in zip(held_out, read, strict=True)
        if example.intent == OUT_OF_SCOPE
    ]
    caught = [
        reading
        for reading in strange
        if reading.intent == OUT_OF_SCOPE or limit is None or reading.confidence < limit
    ]
    return {"tickets": len(strange), "caught": len(caught)}
