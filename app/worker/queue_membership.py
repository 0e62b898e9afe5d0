"""Registers workers with the queue, and puts back jobs that a dead worker took.

The queue knows a worker by the id of its liveness lock. A free lock therefore identifies the jobs
of a dead worker.
"""

import asyncio
from collections.abc import Iterable

import psycopg
from procrastinate.connector import BaseConnector
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

from app.db.runs.enqueue import ADVANCE
from app.worker.admission import loop_has_time

# OVERRIDING: Procrastinate would number its workers itself.
INSERT_WORKER = """
INSERT INTO procrastinate_workers (id) OVERRIDING SYSTEM VALUE VALUES (%(worker_id)s)
ON CONFLICT (id) DO UPDATE SET last_heartbeat = now()"""
PUT_OWN_BACK = """
UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL
WHERE worker_id = %(worker_id)s AND status = 'doing'"""
# Arrays, since a join might be planned to read a whole table; four times a second.
PUT_BACK = """
UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL
WHERE id = ANY(ARRAY(
    SELECT job.id FROM procrastinate_jobs job
    WHERE job.status = 'doing' AND job.task_name = %(task)s
    AND job.worker_id = ANY(ARRAY(
        SELECT id FROM procrastinate_workers
        WHERE id <> %(worker_id)s AND pg_try_advisory_xact_lock(id)
    ))
    AND 'pending' = (SELECT status FROM runs WHERE runs.id = (job.args->>'run_id')::uuid)
    FOR UPDATE SKIP LOCKED
))"""


class LivenessJobManager(JobManager):
    """Registers under our id, leaves no job behind, and fetches jobs while the loop has time.

    After `stop` it fetches none.
    """

    def __init__(self, connector: BaseConnector, worker_id: int, stop: asyncio.Event) -> None:
        super().__init__(connector)
        self.worker_id = worker_id
        self._stop = stop

    async def register_worker(self) -> int:
        """Register, again after an outage: jobs fetched before it are put back."""
        await self._put_own_back()
        await self.connector.execute_query_async(INSERT_WORKER, worker_id=self.worker_id)
        return self.worker_id

    async def unregister_worker(self, worker_id: int) -> None:
        """Unregister once no job runs here; jobs that an outage kept open are put back."""
        await self._put_own_back()
        await super().unregister_worker(worker_id)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Fetch a job once the loop has time; until then any worker may have it."""
        await loop_has_time(self._stop)
        return None if self._stop.is_set() else await super().fetch_job(queues, worker_id)

    async def _put_own_back(self) -> None:
        await self.connector.execute_query_async(PUT_OWN_BACK, worker_id=self.worker_id)


async def put_back(connection: psycopg.AsyncConnection, worker_id: int) -> None:
    """Put back jobs of workers that died before they claimed the run; waits for no lock.

    Jobs of claimed runs are left: the recovery enqueues those, and counts the loss.
    """
    await connection.execute(PUT_BACK, {"worker_id": worker_id, "task": ADVANCE})
