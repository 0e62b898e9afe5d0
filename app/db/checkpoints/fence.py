"""The fence of checkpoints: only the attempt that holds a run writes them.

A worker that was frozen and wakes up would otherwise write the newest checkpoint of a thread that
another one has advanced meanwhile, and so take the run back to before an answered gate.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

from langchain_core.runnables import RunnableConfig
from psycopg.errors import DivisionByZero

from tools.errors import RunLostError

Holder = tuple[str, int]

# Fails as a division by zero unless every attempt still has its run; each run stays its attempt's
# until the transaction ends. In a pipeline it needs no round trip of its own.
_FENCE: LiteralString = """
    SELECT 1 / (count(*) = count(own.id))::int
    FROM unnest(%s::uuid[], %s::bigint[]) AS holder (id, attempt)
    LEFT JOIN LATERAL (
        SELECT runs.id FROM runs WHERE runs.id = holder.id AND runs.attempt = holder.attempt
            AND runs.status = 'running' FOR SHARE"""
FENCE: LiteralString = _FENCE + ") AS own ON true"
# For several runs at once: waiting for one row while holding others could be a deadlock.
FENCE_OF_MANY: LiteralString = _FENCE + " SKIP LOCKED) AS own ON true"


def holder_of(config: RunnableConfig) -> Holder | None:
    """The run and the attempt that an execution's metadata names; None outside of one."""
    owner = config.get("metadata", {})
    return (owner["run_id"], owner["attempt"]) if "attempt" in owner else None


@contextmanager
def refusing_late_writes(holder: Holder | None) -> Iterator[None]:
    """Raise RunLostError when the fence refuses what is written within."""
    try:
        yield
    except DivisionByZero as error:
        lost = holder[0] if holder else "unknown"
        raise RunLostError(f"run {lost} is no longer this worker's") from error
