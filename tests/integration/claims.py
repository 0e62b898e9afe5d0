"""A claim of one run, apart from the queue: as if a worker had found it there."""

from uuid import UUID

from app.db.core.compiled import Executor
from app.db.runs import transitions
from app.db.tables.runs import Run


async def claim_one(executor: Executor, run_id: UUID, worker_id: int) -> Run | None:
    """The run, untraced, or None when it may not run now."""
    claimed = await transitions.claim(executor, {run_id: None}, worker_id)
    return claimed[0] if claimed else None
