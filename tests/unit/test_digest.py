"""The digest of a plan: an answer fits only what its reviewer saw."""

import json
from typing import Any

from hypothesis import given

from graphs.policy import digest
from tests.unit.test_policy import REFUNDS, RUN, step, steps_of
from tools.models import Step


def shuffled(value: Any) -> Any:
    """The same JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@given(refunds=REFUNDS)
def test_digest_is_of_the_content_not_of_the_spelling(refunds: list[tuple[str, int]]) -> None:
    """Key order and a trip through JSON change nothing; it is 64 hex digits."""
    steps = steps_of(refunds)
    shown = digest("plan", RUN, steps)
    assert shown == digest("plan", RUN, shuffled(steps))
    assert shown == digest("plan", RUN, json.loads(json.dumps(steps)))
    assert len(shown) == 64
    assert int(shown, 16) >= 0


def changes(original: Step) -> list[Step]:
    """The step with each of its values changed, one at a time."""
    args: list[dict[str, Any]] = [
        {"amount_minor": 4901},
        {"amount_minor": "4900"},
        {"currency": "EUR"},
        {"reason": "because "},
        {"extra": None},
    ]
    changed: list[Any] = [{**original, "args": {**original["args"], **other}} for other in args]
    words = ("id", "tool", "reason", "risk")
    changed += [{**original, word: f"{original[word]}!"} for word in words]  # type: ignore[literal-required]  # keys of one TypedDict
    return [*changed, {**original, "editable": []}, {**original, "evidence": []}]


def test_digest_changes_with_every_change() -> None:
    """Whatever a reviewer could have seen differently makes another digest."""
    first, second = step(4900), step(4900, number=2)
    plans = [[first], [second], [first, second], [second, first], []]
    plans += [[changed] for changed in changes(first)]
    digests = [digest("plan", RUN, plan) for plan in plans]
    digests += [digest("plan", "another run", [first]), digest("reply", RUN, [first])]
    assert len(set(digests)) == len(digests)
