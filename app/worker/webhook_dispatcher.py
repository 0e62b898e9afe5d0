"""Delivers callbacks: claims them, sends without a database connection, records the result.

The outbox is its own queue (docs/adr/0013): a claim moves `next_at` on, so callbacks of a dead
worker are due again by themselves, and slow receivers occupy no worker slot.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta

from app.adapters.webhooks.delivery import Receipt, Sender
from app.adapters.webhooks.ssrf_guard import make_guard
from app.db.core.availability import DATABASE_ERRORS, log_database_error, wait_out
from app.db.tables.webhooks import Callback
from app.db.webhooks import queries as webhook_queries
from app.db.webhooks.secrets import signing_secrets
from app.execution.wiring import Service
from app.log import get_logger
from app.services.webhooks import outbox

log = get_logger(__name__)

# Longest delay of a callback that another process inserted; our own wake the dispatcher.
POLL_SECONDS = 0.5
# An attempt ends within its timeout, so a claim of twice that never overlaps a live one.
LEASE_FACTOR = 2
# A tenant with slow receivers holds at most one of SHARE parts of the open deliveries.
SHARE = 4


class WebhookDispatcher:
    """The deliveries of this process. `wake` is set when a callback was inserted here."""

    def __init__(self, service: Service, sender: Sender, wake: asyncio.Event) -> None:
        self._service = service
        self._sender = sender
        self._wake = wake
        self._open: dict[asyncio.Task[None], str] = {}
        self._limit = service.settings.callback_concurrency
        self._lease = timedelta(seconds=service.settings.callback_timeout_seconds * LEASE_FACTOR)

    async def work(self, stop: asyncio.Event) -> None:
        """Deliver due callbacks until `stop`; then wait for open deliveries."""
        while not stop.is_set():
            self._wake.clear()
            try:
                while await self._take():
                    pass
            except DATABASE_ERRORS as error:
                await wait_out(error, "webhooks", 0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        if self._open:
            _, late = await asyncio.wait(self._open, timeout=self._service.settings.drain_seconds)
            for task in late:
                task.cancel()

    async def _take(self) -> bool:
        """Claim a batch and start its deliveries; False when nothing is due, or no slot is free.

        Claims in small batches so that one tenant cannot exceed its share within a single claim.
        """
        share = max(1, self._limit // SHARE)
        held = Counter(self._open.values())
        busy = [tenant_id for tenant_id, count in held.items() if count >= share]
        room = min(share, self._limit - len(self._open))
        if room <= 0:
            return False
        async with self._service.sessions.begin() as session:
            claimed = await webhook_queries.claim(session, self._lease, room, busy)
        for callback in claimed:
            task = asyncio.create_task(self.deliver(callback))
            self._open[task] = callback.tenant_id
            task.add_done_callback(self._done)
        return bool(claimed)

    def _done(self, task: "asyncio.Task[None]") -> None:
        del self._open[task]
        if not task.cancelled() and (error := task.exception()):
            log.error("callback_attempt_failed", error=error, exc_info=error)
        # There is room again.
        self._wake.set()

    async def deliver(self, callback: Callback) -> None:
        """Make one claimed attempt; if it is interrupted, it is due again after its lease."""
        try:
            async with self._service.sessions() as session:
                secrets = await signing_secrets(session, callback.tenant_id)
            answer = await self._sender.send(callback.url, str(callback.id), callback.body, secrets)
            async with self._service.sessions.begin() as session:
                status = await outbox.conclude(session, callback, answer)
            _log_result(callback, answer, status)
        except DATABASE_ERRORS as error:
            log_database_error(error, "webhooks")


def _log_result(callback: Callback, answer: Receipt, status: str | None) -> None:
    fields = {
        "callback_id": str(callback.id),
        "run_id": str(callback.run_id),
        "tenant_id": callback.tenant_id,
        "attempt": callback.attempts,
        "error": answer.error,
    }
    match status:
        case "delivered":
            log.info("callback_delivered", **fields)
        case "dead":
            log.warning("callback_dead", **fields)
        case "disabled":
            log.warning("callback_url_disabled", **fields)
        case _:
            log.info("callback_failed", **fields)


async def deliver_callbacks(service: Service, wake: asyncio.Event, stop: asyncio.Event) -> None:
    """Deliver callbacks until `stop` is set."""
    settings = service.settings
    guard = make_guard(settings.callback_allow)
    async with Sender(guard, settings.callback_timeout_seconds) as sender:
        await WebhookDispatcher(service, sender, wake).work(stop)
