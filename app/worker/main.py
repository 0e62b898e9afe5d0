"""A worker: the runs it advances and the heartbeat, until a signal stops it."""

import asyncio
import secrets

from procrastinate import App
from procrastinate.exceptions import ProcrastinateException

from app.adapters.ports.embedders import build_embedder
from app.db.core.availability import DATABASE_ERRORS, wait_out
from app.db.core.connections import direct_url
from app.db.runs.queue import enqueue_run
from app.execution.wiring import Service
from app.log import get_logger
from app.worker.consumer import consume, open_consumer
from app.worker.desk_dispatcher import deliver_to_desks
from app.worker.embed_articles import keep_embedded
from app.worker.figures import roll_up_regularly
from app.worker.heartbeat import run_heartbeat
from app.worker.mailbox_reader import read_mailboxes
from app.worker.maintenance import run_maintenance
from app.worker.retention import prune_regularly
from app.worker.run_dispatcher import advance_runs
from app.worker.run_runner import RunRunner
from app.worker.trace_dispatcher import send_trace_notes
from app.worker.triage_watch import watch_regularly
from app.worker.webhook_dispatcher import deliver_callbacks

log = get_logger(__name__)

RECONNECT_SECONDS = 0.1


async def run_worker(service: Service, stop: asyncio.Event) -> None:
    """Advance runs until `stop` is set; then drain: every run settles or is handed back.

    A part of the worker that fails stops it in the same way, and its error ends the process.
    """
    runner = RunRunner(service, enqueue_run, id=secrets.randbits(62) + 1)
    async with (
        open_consumer(direct_url(service.settings), runner.requeue, runner.summarize) as consumer,
        asyncio.TaskGroup() as tasks,
    ):
        watching = tasks.create_task(run_heartbeat(runner))
        embedding = tasks.create_task(
            keep_embedded(service.sessions, build_embedder(service.settings))
        )
        consuming = tasks.create_task(_consume(consumer, runner, stop))
        advancing = tasks.create_task(advance_runs(runner, stop))
        tasks.create_task(deliver_callbacks(service, runner.noted, stop))
        tasks.create_task(deliver_to_desks(service, stop))
        tasks.create_task(read_mailboxes(service, stop))
        tasks.create_task(send_trace_notes(service, stop))
        every = service.settings.retention_every_seconds
        forgetting = tasks.create_task(prune_regularly(service.sessions, every))
        judging = tasks.create_task(watch_regularly(service.sessions))
        adding = tasks.create_task(roll_up_regularly(service.sessions))
        sweeping = tasks.create_task(run_maintenance(runner, consumer, stop))
        log.info("worker_started", worker=runner.id)
        try:
            await stop.wait()
        finally:
            stop.set()
            # First nothing new, then the border: a run handed back must not be taken again here.
            for part in (embedding, consuming, forgetting, judging, adding, sweeping):
                part.cancel()
            await runner.drain()
            # Waited for before they are cancelled again: that aborts the runs that still settle, or
            # that wait for a heartbeat which has failed.
            ending = (advancing, consuming)
            await asyncio.wait(ending, timeout=service.settings.drain_seconds)
            for part in ending:
                part.cancel()
            watching.cancel()
    log.info("worker_stopped", worker=runner.id)


async def _consume(consumer: App, runner: RunRunner, stop: asyncio.Event) -> None:
    """Consume, and start again after each outage of the database."""
    while not stop.is_set():
        try:
            await runner.alive.wait()
            places = runner.service.settings.worker_concurrency
            await consume(consumer, runner.idle, places, stop)
            return
        except (ProcrastinateException, *DATABASE_ERRORS) as error:
            # After a defect, too: the jobs of other workers' runs would wait for ever.
            await wait_out(error, "queue", RECONNECT_SECONDS)
