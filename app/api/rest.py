"""Wakes the requests that wait for a run to rest: one query a tick for all of the process."""

import asyncio
import time
from collections import defaultdict
from uuid import UUID

from app.db.engine import Sessions
from app.db.runs import resting

# Most runs take milliseconds, and a caller who has just come wants to know soon.
TICK_SECONDS, LONG_TICK_SECONDS, SOON_SECONDS = 0.005, 0.05, 1.0
CROWD = 8


class RestWatch:
    """Looks at the runs somebody waits for, as long as somebody does; holds no connection."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._waiting: defaultdict[UUID, set[asyncio.Future[None]]] = defaultdict(set)
        self._newest = 0.0
        self._task: asyncio.Task[None] | None = None

    async def wait(self, run_id: UUID, seconds: float) -> None:
        """Return when the run has finished or paused, or when the time is over.

        Raises:
            Exception: the database is away.
        """
        rested: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[run_id].add(rested)
        self._newest = time.monotonic()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(seconds):
                await rested
        except TimeoutError:
            return
        finally:
            self._forget(run_id, rested)

    def _forget(self, run_id: UUID, rested: "asyncio.Future[None]") -> None:
        self._waiting[run_id].discard(rested)
        if not self._waiting[run_id]:
            del self._waiting[run_id]

    async def _look(self) -> None:
        while self._waiting:
            young = time.monotonic() - self._newest < SOON_SECONDS
            # The more there are, the less one look costs each of them, and the later it may come.
            soon = TICK_SECONDS * (1 + len(self._waiting) / CROWD)
            await asyncio.sleep(min(soon, LONG_TICK_SECONDS) if young else LONG_TICK_SECONDS)
            asked = list(self._waiting)
            try:
                async with self._sessions.reading() as session:
                    found = await resting(session, asked)
            except Exception as error:  # noqa: BLE001  # each who waits is told
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
