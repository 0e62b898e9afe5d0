"""Wakes requests that wait for a run to pause or end: on a worker's notification, or by polling."""

import asyncio
import time
from collections import defaultdict
from uuid import UUID

import psycopg

from app.db.core.connections import Sessions, direct_url
from app.db.runs.notify import subscribe
from app.db.runs.queries import finished_or_paused
from app.log import get_logger
from app.settings import Settings

log = get_logger(__name__)

# Polling intervals: short right after a request arrived, since most runs are short.
TICK_SECONDS, LONG_TICK_SECONDS, SOON_SECONDS = 0.01, 0.1, 1.0
UNAVAILABLE_SECONDS = 1.0


class RunWaiter:
    """The requests that wait for a run; a waiting request holds no connection.

    With settings, one connection listens for the whole process, from the first waiting request on.
    Each tick polls all awaited runs with one query, which covers changes without a notification:
    cancels, expiries and lost messages.
    """

    def __init__(self, sessions: Sessions, settings: Settings | None = None) -> None:
        self._sessions = sessions
        self._settings = settings
        self._waiting: defaultdict[UUID, set[asyncio.Future[None]]] = defaultdict(set)
        self._newest = 0.0
        self._task: asyncio.Task[None] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._hears = False

    async def wait(self, run_id: UUID, seconds: float) -> None:
        """Return when the run has finished or paused, or when the time is over.

        Raises:
            Exception: the database is unavailable.
        """
        rested: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[run_id].add(rested)
        self._newest = time.monotonic()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        if self._settings and (self._listening is None or self._listening.done()):
            self._listening = asyncio.create_task(self._listen(direct_url(self._settings)))
        try:
            async with asyncio.timeout(seconds):
                await rested
        except TimeoutError:
            return
        finally:
            self._forget(run_id, rested)

    def close(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            self._listening.cancel()

    def _forget(self, run_id: UUID, rested: "asyncio.Future[None]") -> None:
        self._waiting[run_id].discard(rested)
        if not self._waiting[run_id]:
            del self._waiting[run_id]

    async def _listen(self, database_url: str) -> None:
        try:
            async for run_ids in subscribe(database_url):
                self._hears = True
                for run_id in run_ids:
                    self._wake(run_id)
        except psycopg.Error as error:
            log.warning("notifications_unheard", error=error)
            await asyncio.sleep(UNAVAILABLE_SECONDS)
        finally:
            self._hears = False

    async def _look(self) -> None:
        while self._waiting:
            young = time.monotonic() - self._newest < SOON_SECONDS
            await asyncio.sleep(TICK_SECONDS if young and not self._hears else LONG_TICK_SECONDS)
            asked = list(self._waiting)
            try:
                async with self._sessions.raw_connection() as connection:
                    found = await finished_or_paused(connection, asked)
            except Exception as error:  # noqa: BLE001  # each waiting request gets it
                self._fail(asked, error)
                continue
            for run_id in found:
                self._wake(run_id)

    def _wake(self, run_id: UUID) -> None:
        for rested in self._waiting.pop(run_id, ()):
            if not rested.done():
                rested.set_result(None)

    def _fail(self, asked: list[UUID], error: Exception) -> None:
        for run_id in asked:
            for rested in self._waiting.pop(run_id, ()):
                if not rested.done():
                    rested.set_exception(error)
