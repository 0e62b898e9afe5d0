"""The digest of an approval: an answer fits only the approval, and only what it showed."""

import json
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.services.approvals.open_approval import SHOWN, digest
from tests.unit.test_policy import REFUNDS, RUN, step, steps_of
from tools.models import Step


def shown(steps: list[Any], **changed: Any) -> dict[str, Any]:
    """What one approval shows."""
    return {
        "id": UUID(int=7), "run_id": UUID(RUN), "kind": "plan", "round": 0, "steps": steps,
        "gate": ["too much"], "changed": [], "verdicts": ["approve", "reject"],
        "required_approvers": 1, **changed,
    }  # fmt: skip


def shuffled(value: Any) -> Any:
    """The same JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@given(refunds=REFUNDS)
def test_digest_is_of_the_content_not_of_the_spelling(refunds: list[tuple[str, int]]) -> None:
    """Key order and a trip through JSON change nothing; it is 64 hex digits."""
    asked = shown(steps_of(refunds))
    made = digest(asked)
    assert made == digest(shuffled(asked))
    assert made == digest(json.loads(json.dumps(asked, default=str)))
    assert made == digest({**asked, "expires_in_seconds": 60}), "what is not shown is not in it"
    assert len(made) == 64
    assert int(made, 16) >= 0


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
    others: dict[str, Any] = {
        "id": UUID(int=8), "run_id": UUID(int=9), "kind": "reply", "round": 1, "gate": [],
        "changed": ["new"], "verdicts": ["reject"], "required_approvers": 2,
    }  # fmt: skip
    assert {*others, "steps"} == set(SHOWN), "everything that is shown is tried"
    digests = [digest(shown(plan)) for plan in plans]
    digests += [digest(shown([first], **{name: value})) for name, value in others.items()]
    assert len(set(digests)) == len(digests)


@given(refunds=REFUNDS, ids=st.sets(st.uuids(), min_size=2, max_size=5))
def test_two_approvals_never_share_a_digest(refunds: list[tuple[str, int]], ids: set[UUID]) -> None:
    """Of the same steps, run and round: the approval's id alone makes another one."""
    steps = steps_of(refunds)
    assert len({digest(shown(steps, id=one)) for one in ids}) == len(ids)
