"""What the dispatchers share: claim what is due, work on some at once, drain at the end.

Their tables are the queues (docs/adr/0013): a claim moves `next_at` on, so what a dead worker had
taken is due again by itself, and a slow receiver occupies no place of a run.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from app.db.core.availability import DATABASE_ERRORS, wait_out
from app.log import get_logger

log = get_logger(__name__)

# Longest delay of what another process inserted; our own wakes the dispatcher.
POLL_SECONDS = 0.5


class Dispatcher:
    """The open work of this process, each for an owner who holds at most `share` of `limit`.

    `part` and `failure` name it and its errors in logs. `wake` is set when there may be something
    due, or room again.
    """

    def __init__(
        self,
        part: str,
        failure: str,
        *,
        limit: int,
        share: int,
        drain_seconds: float,
        wake: asyncio.Event,
    ) -> None:
        self._failure = failure
        self._part = part
        self._limit = limit
        self._share = share
        self._drain_seconds = drain_seconds
        self._wake = wake
        self._open: dict[asyncio.Task[None], str] = {}

    async def work(self, stop: asyncio.Event) -> None:
        """Work on what is due until `stop`, or until cancelled; then wait for what is open."""
        try:
            while not stop.is_set():
                self._wake.clear()
                await self._take_all()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        except asyncio.CancelledError:
            await self._drain()
            raise
        await self._drain()

    async def _take_all(self) -> None:
        try:
            while (room := self.room) > 0 and await self.take(room, self.busy):
                pass
        except DATABASE_ERRORS as error:
            await wait_out(error, self._part, 0)

    async def _drain(self) -> None:
        """Wait for what is open; when it is cancelled, or it takes too long, that is, too."""
        try:
            if self._open:
                await asyncio.wait(self._open, timeout=self._drain_seconds)
        finally:
            for task in self._open:
                task.cancel()

    @property
    def room(self) -> int:
        """How many to claim at once: in small batches, so that no owner exceeds its share."""
        return min(self._share, self._limit - len(self._open))

    @property
    def busy(self) -> list[str]:
        """The owners who hold their share."""
        held = Counter(self._open.values())
        return [owner for owner, count in held.items() if count >= self._share]

    async def take(self, room: int, busy: list[str]) -> bool:
        """Claim up to `room` of what is due, of owners who are not `busy`, and `begin` it; False
        when nothing is due."""
        raise NotImplementedError

    def begin(self, work: Coroutine[Any, Any, None], owner: str) -> None:
        """Start on something claimed; if it is interrupted, it is due again after its lease."""
        task = asyncio.create_task(work)
        self._open[task] = owner
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        del self._open[task]
        if not task.cancelled() and (error := task.exception()):
            log.error(self._failure, error=error, exc_info=error)
        self.freed()

    def freed(self) -> None:
        """There is room again."""
        self._wake.set()
