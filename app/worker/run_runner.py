"""Advancing a run: claim, execute, finish."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter
from uuid import UUID

from langgraph.runtime import RunControl
from structlog.contextvars import bound_contextvars

from app.db.core.availability import DATABASE_ERRORS, is_unavailable
from app.db.runs import scheduling
from app.db.runs.queue import take_off
from app.db.runs.transitions import Ending
from app.db.tables.runs import Run
from app.execution import summarize as summaries
from app.execution.claim import Claimant, Turn, claim, claim_next, queue_followers
from app.execution.execute import RETRY_SECONDS, ending_of, execute
from app.execution.finish import finish, reconcile_cancelled
from app.execution.wiring import Service
from app.lifecycle import FINAL, RunStatus
from app.log import get_logger
from app.observability import metrics
from app.services.runs.start_and_cancel import Enqueue
from app.worker.consumer import enqueue_summary

log = get_logger(__name__)


@dataclass(slots=True)
class Active:
    """A run in this process, and the two ways to stop it: after its current step, or now."""

    task: "asyncio.Task[Ending]"
    control: RunControl
    attempt: int
    cancelled: bool = False


@dataclass(slots=True)
class RunRunner:
    """The runs this worker advances. `id` names the worker's liveness lock."""

    service: Service
    enqueue: Enqueue
    id: int
    active: dict[UUID, Active] = field(default_factory=dict)
    # Runs that are being claimed or advanced; a row held by this worker that is not in here is an
    # orphan. Counted, since the run may be claimed again while the call before still returns.
    mine: Counter[UUID] = field(default_factory=Counter)
    # Summaries being written; a stop drops them, and the ticket's next run queues them again.
    chores: "set[asyncio.Task[bool]]" = field(default_factory=set)
    # Set while the heartbeat holds the liveness lock: without it others would take our runs.
    alive: asyncio.Event = field(default_factory=asyncio.Event)
    # Set after each ending of a run with a callback URL: there may be one to deliver.
    noted: asyncio.Event = field(default_factory=asyncio.Event)
    # Set when there may be a run to take.
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    # Set while no run waits for a worker.
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    draining: bool = False

    async def take(self, most: int) -> Turn:
        """Claim up to `most` runs of the queue, each for one call of `advance_claimed`."""
        expected: list[UUID] = []

        def expect(run_ids: list[UUID]) -> None:
            expected.extend(run_ids)
            self.mine.update(run_ids)

        claimed: set[UUID] = set()
        try:
            turn = await claim_next(self.service.sessions, most, self._claimant(), expect)
            claimed = {run.id for run in turn.claimed}
            return turn
        except Exception as error:
            await self._set_aside(expected, error)
            raise
        finally:
            self.mine -= Counter(run_id for run_id in expected if run_id not in claimed)

    async def advance(self, run_id: UUID) -> None:
        """Claim the run by itself, and advance it."""
        await self.alive.wait()
        self.mine[run_id] += 1
        run = None
        try:
            if not self.draining:
                run = await claim(self.service.sessions, run_id, self._claimant())
        except Exception as error:
            await self._set_aside([run_id], error)
            raise
        finally:
            # Whatever waits behind this one on the queue.
            self.wake.set()
            if run is None:
                self.mine -= Counter([run_id])
        if run is not None:
            await self.advance_claimed(run)

    async def advance_claimed(self, run: Run) -> None:
        """Execute a claimed run until it pauses or ends, and store how that ended."""
        try:
            if self.draining:
                await self._finish(run, Ending(RunStatus.PENDING))
                return
            metrics.run_claimed(run)
            with bound_contextvars(
                run_id=str(run.id),
                thread_id=str(run.thread_id),
                attempt=run.attempt,
                trace_id=str(run.trace_id),
            ):
                await self._execute(run)
        finally:
            self.mine -= Counter([run.id])

    async def requeue(self, run_id: UUID) -> None:
        """Put a run on the queue that an earlier release queued as a job."""
        async with self.service.sessions.raw_connection() as connection:
            await self.enqueue(connection, run_id, None)

    async def _set_aside(self, run_ids: list[UUID], error: Exception) -> None:
        """Take runs off the queue whose claim is refused for good; the sweep puts them on again.

        At its head they would be all that any look at it finds.
        """
        if run_ids and not is_unavailable(error):
            async with self.service.sessions.raw_connection() as connection:
                await take_off(connection, run_ids)

    def _claimant(self) -> Claimant:
        limit, tracing = self.service.settings.customer_concurrency, self.service.tracing.is_on
        return Claimant(self.id, limit, self.service.graph_version, tracing)

    async def _execute(self, run: Run) -> None:
        """Execute a claimed run; each log line meanwhile names it."""
        run_id, began = run.id, perf_counter()
        control = RunControl()
        task = asyncio.create_task(execute(self.service, run, control))
        active = self.active[run_id] = Active(task, control, run.attempt)
        try:
            if run.cancel_requested_at is not None:
                self.cancel(run_id)
            await asyncio.wait([task])
        finally:
            # A lost attempt may end after the run's next attempt has begun in this process.
            if self.active.get(run_id) is active:
                del self.active[run_id]
        ending = ending_of(run, task, cancelled=active.cancelled)
        if ending.status is RunStatus.CANCELLED:
            ending = await reconcile_cancelled(self.service, run)
        seconds = perf_counter() - began
        if await self._finish(run, ending):
            metrics.run_settled(ending, seconds)

    async def summarize(self, run_id: UUID) -> None:
        """Refresh the summary of the run's ticket; a worker that drains cancels it."""
        if self.draining:
            return
        with bound_contextvars(run_id=str(run_id)):
            chore = asyncio.create_task(summaries.refresh(self.service, run_id))
        self.chores.add(chore)
        try:
            await asyncio.wait([chore])
        finally:
            self.chores.discard(chore)
        if not chore.cancelled():
            chore.result()

    def cancel(self, run_id: UUID) -> None:
        """Stop a run now, even inside a model call; a begun effect still reaches its ledger row."""
        if (active := self.active.get(run_id)) and not active.cancelled:
            active.cancelled = True
            active.task.cancel()

    async def drain(self) -> None:
        """Claim nothing more; stop every run after its current step, or at once when time is up."""
        log.info("drain_begins", runs=len(self.active))
        self.draining = True
        self.wake.set()
        for chore in self.chores:
            chore.cancel()
        for active in self.active.values():
            active.control.request_drain()
        tasks = [active.task for active in self.active.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self.service.settings.drain_seconds)
            for task in late:
                task.cancel()

    async def _finish(self, run: Run, ending: Ending) -> bool:
        """Write the ending, and log it; False when another attempt holds the run."""
        held = await self._patiently(run, ending)
        if run.callback_url is not None:
            self.noted.set()
        log.info(
            "run_settled" if held else "run_lost",
            run_id=str(run.id),
            status=ending.status,
            outcome=ending.outcome,
            attempt=run.attempt,
        )
        return held

    async def _queue_next(self, run: Run, ending: Ending) -> None:
        """Queue the runs that waited for this one, and the refresh of its ticket's summary."""
        async with self.service.sessions.raw_connection() as connection:
            following = await scheduling.next_after(connection, run)
            due = ending.status in FINAL and await summaries.is_due(connection, run)
        if not following and not due:
            return
        async with self.service.sessions.begin() as session:
            await queue_followers(session, self.enqueue, following)
            if due:
                await enqueue_summary(session, run.id)

    async def _patiently(self, run: Run, ending: Ending) -> bool:
        """Write the ending once the database is available; a worker that drains gives up in time.

        False when another attempt holds the run.
        """
        patience, held = self.service.settings.drain_seconds, False
        while True:
            try:
                held = await finish(self.service.sessions, self.enqueue, run, ending) or held
                if ending.status is not RunStatus.PENDING:
                    self.service.notifier.publish(run.id)
                await self._queue_next(run, ending)
                return held
            except DATABASE_ERRORS as error:
                if not is_unavailable(error) or patience <= 0:
                    raise
                log.warning("database_unavailable", part="settle", run_id=str(run.id), error=error)
                await asyncio.sleep(RETRY_SECONDS)
                patience -= RETRY_SECONDS if self.draining else 0
