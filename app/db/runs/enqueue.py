"""Enqueues jobs: calls Procrastinate's own SQL function within any statement.

A job only names a run and a task; `app/worker/consumer.py` consumes it.
"""

from typing import Any, Literal

from sqlalchemy import ColumnElement, Text, cast, func, literal, null
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.types import UserDefinedType

QUEUE = "runs"
Task = Literal["advance_run", "refresh_summary"]
ADVANCE: Task = "advance_run"
SUMMARIZE: Task = "refresh_summary"
# A summary is refreshed once no run waits for a worker.
PRIORITIES: dict[Task, int] = {ADVANCE: 0, SUMMARIZE: -1}


class _Job(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "procrastinate_job_to_defer_v1"


def queued(task: Task, run_id: ColumnElement[Any], at: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column that enqueues a job when it is read: due at once or, if not null, at `at`."""
    args = func.jsonb_build_object("run_id", cast(run_id, Text))
    names = (literal(QUEUE), literal(task), literal(PRIORITIES[task]))
    job = func.row(*names, null(), null(), args, at)
    return func.procrastinate_defer_jobs_v1(array([cast(job, _Job)]))
