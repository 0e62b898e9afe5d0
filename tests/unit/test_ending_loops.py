"""A part of a worker that is asked to end does end, whatever the database makes of that."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException

from app.worker.embed_articles import keep_embedded
from app.worker.main import _consume
from app.worker.maintenance import run_maintenance
from app.worker.retention import prune_regularly
from app.worker.webhook_dispatcher import WebhookDispatcher

PATIENCE_SECONDS = 20.0


class FailingDatabase:
    """Stands still, and answers a cancellation with an error of its own, as in an outage."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    async def stand_still(self) -> None:
        """Never return; raise ConnectorException instead of CancelledError."""
        self.reached.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lost = psycopg.OperationalError("the connection is lost")
            raise ConnectorException from lost

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        await self.stand_still()
        yield

    begin = __call__


class FailingConsumer:
    """A queue's consumer on that database."""

    def __init__(self, database: FailingDatabase) -> None:
        self.connector = SimpleNamespace(get_sync_connector=lambda: None)
        self.job_manager: Any = None
        self._database = database

    async def run_worker_async(self, **_options: Any) -> None:
        """Work until cancelled."""
        await self._database.stand_still()


def jobs_on(database: FailingDatabase) -> Any:
    """The jobs of a worker with a heartbeat."""
    settings = SimpleNamespace(
        worker_concurrency=1,
        callback_concurrency=4,
        callback_timeout_seconds=1,
        drain_seconds=0,
        customer_concurrency=1,
    )
    service = SimpleNamespace(sessions=database, settings=settings)
    alive = asyncio.Event()
    alive.set()
    return SimpleNamespace(service=service, alive=alive, idle=asyncio.Event(), id=1, enqueue=None)


def consuming(database: FailingDatabase) -> Coroutine[Any, Any, None]:
    """The queue's consumer."""
    return _consume(cast("Any", FailingConsumer(database)), jobs_on(database), asyncio.Event())


def maintaining(database: FailingDatabase) -> Coroutine[Any, Any, None]:
    """Reminders, expiries and hand-offs."""
    consumer = cast("Any", FailingConsumer(database))
    return run_maintenance(jobs_on(database), consumer, asyncio.Event())


def delivering(database: FailingDatabase) -> Coroutine[Any, Any, None]:
    """Callbacks."""
    service, sender = jobs_on(database).service, cast("Any", None)
    return WebhookDispatcher(service, sender, asyncio.Event()).work(asyncio.Event())


def pruning(database: FailingDatabase) -> Coroutine[Any, Any, None]:
    """Retention."""
    return prune_regularly(cast("Any", database), 0)


def embedding(database: FailingDatabase) -> Coroutine[Any, Any, None]:
    """Vectors of articles."""
    return keep_embedded(cast("Any", database), cast("Any", SimpleNamespace(model="m")))


@pytest.mark.parametrize("part", [consuming, maintaining, delivering, pruning, embedding])
async def test_cancelled_part_ends_although_the_database_fails(
    part: Callable[[FailingDatabase], Coroutine[Any, Any, None]],
) -> None:
    """An error in place of the cancellation is no reason to begin again: nothing would stop it."""
    database = FailingDatabase()
    task = asyncio.create_task(part(database))
    await database.reached.wait()
    database.reached.clear()
    task.cancel()
    again = asyncio.create_task(database.reached.wait())
    await asyncio.wait([task, again], timeout=PATIENCE_SECONDS, return_when="FIRST_COMPLETED")
    ended = task.done()
    for left in (task, again):
        left.cancel()
    assert ended
    assert task.cancelled()
