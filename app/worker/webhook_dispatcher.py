"""Delivers callbacks: claim, send without a database connection, write down the end.

The outbox is its own queue (docs/adr/0013): a claim moves `next_at` on, so what a dead worker
held is due again by itself, and slow receivers take no place from runs.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta

from app.adapters.webhooks.delivery import Receipt, Sender
from app.adapters.webhooks.ssrf_guard import make_guard
from app.db.core.availability import DATABASE_ERRORS, log_outage
from app.db.tables.webhooks import Callback
from app.db.webhooks import queries as webhook_queries
from app.db.webhooks.secrets import signing_secrets
from app.execution.wiring import Service
from app.log import get_logger
from app.services.webhooks import outbox

log = get_logger(__name__)

# How late a callback may be that another process noted; those of this one wake the dispatcher.
POLL_SECONDS = 0.5
# An attempt is over after its timeout, so a claim of twice that is never of a live one.
LEASE_FACTOR = 2
# A tenant whose receivers are slow holds at most this part of the open deliveries.
SHARE = 4


class WebhookDispatcher:
    """The deliveries of this process. `wake` is set when a callback was noted here."""

    def __init__(self, service: Service, sender: Sender, wake: asyncio.Event) -> None:
        self._service = service
        self._sender = sender
        self._wake = wake
        self._open: dict[asyncio.Task[None], str] = {}
        self._limit = service.settings.callback_concurrency
        self._lease = timedelta(seconds=service.settings.callback_timeout_seconds * LEASE_FACTOR)

    async def work(self, stop: asyncio.Event) -> None:
        """Deliver what is due until `stop`; then let what is open come to its end."""
        while not stop.is_set():
            self._wake.clear()
            try:
                while await self._take():
                    pass
            except DATABASE_ERRORS as error:
                log_outage(error, "webhooks")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        if self._open:
            _, late = await asyncio.wait(self._open, timeout=self._service.settings.drain_seconds)
            for task in late:
                task.cancel()

    async def _take(self) -> bool:
        """Claim some and begin to deliver them; False when there is nothing to claim, or no room.

        Few at a time, so that one tenant's many do not all get in before its share is counted.
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
        """Make one claimed attempt; whatever stops it, it is due again after its lease."""
        try:
            async with self._service.sessions() as session:
                secrets = await signing_secrets(session, callback.tenant_id)
            answer = await self._sender.send(callback.url, str(callback.id), callback.body, secrets)
            async with self._service.sessions.begin() as session:
                status = await outbox.conclude(session, callback, answer)
            _tell(callback, answer, status)
        except DATABASE_ERRORS as error:
            log_outage(error, "webhooks")


def _tell(callback: Callback, answer: Receipt, status: str | None) -> None:
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
