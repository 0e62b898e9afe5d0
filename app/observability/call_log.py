"""Writes each model call as a row when it ends, in the background with the run's checkpoints."""

import asyncio
from typing import Any
from uuid import UUID

from app.db.checkpoints.group_commit import Done, GroupCommit
from app.db.runs.model_calls import UPSERT_MODEL_CALLS, model_call_row

# As long as steps are waited for when an execution is stopped.
DECIDED_SECONDS = 0.5


class CallLog:
    """The model calls of one execution. `note` never waits; `flush` does, before the run settles.

    `unwritten` are the writes of those whose transaction has not ended, or has failed.
    Without the fence of checkpoints and steps: also what an attempt asked that has lost its run
    was paid for.
    """

    def __init__(self, commits: GroupCommit, tenant_id: str, run_id: UUID, attempt: int) -> None:
        self._commits = commits
        self._owner = {"tenant_id": tenant_id, "run_id": run_id, "attempt": attempt}
        self.unwritten: list[Done] = []

    def note(self, call: dict[str, Any]) -> None:
        """Take a call that has ended."""
        self.unwritten = [done for done in self.unwritten if not done.done() or done.exception()]
        row = model_call_row({**self._owner, **call})
        self.unwritten.append(self._commits.join({UPSERT_MODEL_CALLS: [row]}))

    async def flush(self) -> None:
        """Wait until every call is written. Raises what the database said."""
        if self.unwritten:
            self._commits.hurry()
            await asyncio.gather(*self.unwritten)

    async def decided(self) -> None:
        """Wait, for a moment, until each row is written or will never be."""
        if self.unwritten:
            self._commits.hurry()
            await asyncio.wait(self.unwritten, timeout=DECIDED_SECONDS)
