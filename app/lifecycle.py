"""Run statuses and the one table of allowed transitions."""

from enum import StrEnum


class RunStatus(StrEnum):
    """The LangGraph SDK's words, plus `cancelled`."""

    PENDING = "pending"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    SUCCESS = "success"
    ERROR = "error"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


class ApprovalStatus(StrEnum):
    """An approval's life: pending, then one of the others for good."""

    PENDING = "pending"
    APPROVED = "approved"
    EDITED = "edited"
    REJECTED = "rejected"
    RESPONDED = "responded"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


S = RunStatus
TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    S.PENDING: frozenset({S.RUNNING, S.CANCELLED}),
    # Back to pending: the worker was lost, or drains for a redeploy.
    S.RUNNING: frozenset({S.INTERRUPTED, S.SUCCESS, S.ERROR, S.TIMEOUT, S.CANCELLED, S.PENDING}),
    # To pending: a decision was taken, or the approval expired.
    S.INTERRUPTED: frozenset({S.PENDING, S.CANCELLED}),
    S.SUCCESS: frozenset(),
    S.ERROR: frozenset(),
    S.TIMEOUT: frozenset(),
    S.CANCELLED: frozenset(),
}
FINAL = frozenset(status for status, following in TRANSITIONS.items() if not following)


def sources(target: RunStatus) -> list[RunStatus]:
    """The statuses from which `target` may be reached; every UPDATE of a status names them."""
    return [status for status, following in TRANSITIONS.items() if target in following]
