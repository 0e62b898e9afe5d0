"""Enqueues jobs: calls Procrastinate's own SQL function within any statement.

A job only names a run and a task; `app/worker/consumer.py` consumes it. Runs themselves wait on a
queue of their own, `queue.py`.
"""

from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, literal, null
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.types import UserDefinedType

QUEUE = "runs"
SUMMARIZE = "refresh_summary"
# Only earlier releases enqueue it; what they left comes first, and is put on the queue of runs.
ADVANCE = "advance_run"
PRIORITY = -1


class _Job(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "procrastinate_job_to_defer_v1"


def summary_queued(run_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column that enqueues a job when it is read, to refresh the summary of the run's ticket."""
    args = func.jsonb_build_object("run_id", cast(run_id, Text))
    names = (literal(QUEUE), literal(SUMMARIZE), literal(PRIORITY))
    job = func.row(*names, null(), null(), args, null())
    return func.procrastinate_defer_jobs_v1(array([cast(job, _Job)]))
