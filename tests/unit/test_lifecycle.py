"""The one table of run statuses."""

from itertools import product

import pytest

from app.lifecycle import FINAL, TRANSITIONS, ApprovalStatus, RunStatus, sources

# docs and design, word for word; nothing else may happen to a run.
TABLE = """
pending     -> running cancelled
running     -> interrupted success error timeout cancelled pending
interrupted -> pending cancelled
success     ->
error       ->
timeout     ->
cancelled   ->
"""
ALLOWED = {
    (source.strip(), target)
    for source, targets in (line.split("->") for line in TABLE.strip().splitlines())
    for target in targets.split()
}


@pytest.mark.parametrize(("source", "target"), list(product(RunStatus, RunStatus)))
def test_transition_is_allowed_exactly_when_the_table_says_so(
    source: RunStatus, target: RunStatus
) -> None:
    """All 49 pairs."""
    assert (target in TRANSITIONS[source]) == ((source.value, target.value) in ALLOWED)
    assert (source in sources(target)) == ((source.value, target.value) in ALLOWED)


def test_words_are_the_sdks_and_cancelled() -> None:
    """Clients of LangGraph find the words they know."""
    assert [status.value for status in RunStatus] == [
        "pending", "running", "interrupted", "success", "error", "timeout", "cancelled",
    ]  # fmt: skip


def test_final_is_final() -> None:
    """A finished run stays as it is; a replay is a new run."""
    assert {status.value for status in FINAL} == {"success", "error", "timeout", "cancelled"}
    assert set(TRANSITIONS) == set(RunStatus)


def test_every_status_is_reached_from_pending() -> None:
    """No word without a way to it."""
    reached, todo = {RunStatus.PENDING}, [RunStatus.PENDING]
    while todo:
        following = TRANSITIONS[todo.pop()] - reached
        reached |= following
        todo += following
    assert reached == set(RunStatus)


def test_approval_is_pending_or_closed_for_good() -> None:
    """The words of an approval."""
    assert {status.value for status in ApprovalStatus} == {
        "pending", "approved", "edited", "rejected", "responded", "expired", "cancelled",
    }  # fmt: skip
