"""Takes runs from their queue, and advances as many at once as the worker has places for."""

import asyncio

from app.db.core.availability import DATABASE_ERRORS, wait_out
from app.db.core.connections import direct_url
from app.db.runs.queue import listen
from app.worker.admission import loop_has_time
from app.worker.dispatcher import Dispatcher
from app.worker.run_runner import RunRunner

# At most so many are claimed by one transaction: other workers may be free for the rest.
MOST = 4
# Beside so many others a run is taken at once: all that they have ready together is a short round.
FEW = 16
RECONNECT_SECONDS = 0.1


class RunDispatcher(Dispatcher):
    """The runs of this process. The runner's `wake` is set when there may be one to take."""

    def __init__(self, runner: RunRunner, stop: asyncio.Event) -> None:
        settings = runner.service.settings
        super().__init__(
            "queue",
            "run_not_settled",
            limit=settings.worker_concurrency,
            share=MOST,
            # As long for what is executed, and again until that has settled.
            drain_seconds=2 * settings.drain_seconds,
            wake=runner.wake,
        )
        self._runner = runner
        self._stop = stop
        self._more = True

    async def take(self, room: int, _busy: list[str]) -> bool:
        """See Dispatcher; takes none into a crowd before the event loop has time, and none without
        the lock."""
        if len(self._open) >= FEW:
            await loop_has_time(self._stop)
        if self._stop.is_set() or not self._runner.alive.is_set():
            return False
        # Whatever was announced while the loop had no time, this look sees.
        self._wake.clear()
        turn = await self._runner.take(room)
        for run in turn.claimed:
            self.begin(self._runner.advance_claimed(run), str(run.id))
        for run_id in turn.followed:
            self.begin(self._runner.advance(run_id), str(run_id))
        self._more = turn.full
        self._note_idle()
        # Runs to be claimed one by one are still on the queue.
        return turn.full and not turn.followed

    def freed(self) -> None:
        """A place is free: that means a look only where none was, or where more may wait."""
        if len(self._open) == self._limit - 1:
            self._more = True
        if self._more:
            super().freed()

    def _note_idle(self) -> None:
        if self._more:
            self._runner.idle.clear()
        else:
            self._runner.idle.set()


async def advance_runs(runner: RunRunner, stop: asyncio.Event) -> None:
    """Advance runs until `stop` is set; then wait until those that run have settled."""
    listening = asyncio.create_task(_listen(runner))
    try:
        await RunDispatcher(runner, stop).work(stop)
    finally:
        listening.cancel()


async def _listen(runner: RunRunner) -> None:
    """Wake the dispatcher at each notification; while there are none it looks by itself."""
    url = direct_url(runner.service.settings)
    while True:
        try:
            async for _ in listen(url):
                runner.wake.set()
        except DATABASE_ERRORS as error:
            await wait_out(error, "queue", RECONNECT_SECONDS)
