"""Delivers callbacks: claims them, sends without a database connection, records the result."""

import asyncio
from datetime import timedelta

from app.adapters.webhooks.delivery import Receipt, Sender
from app.adapters.webhooks.ssrf_guard import make_guard
from app.db.core.availability import DATABASE_ERRORS, log_database_error
from app.db.tables.webhooks import Callback
from app.db.webhooks import queries as webhook_queries
from app.db.webhooks.secrets import signing_secrets
from app.execution.wiring import Service
from app.log import get_logger
from app.services.webhooks import outbox
from app.worker.dispatcher import Dispatcher

log = get_logger(__name__)

# An attempt ends within its timeout, so a claim of twice that never overlaps a live one.
LEASE_FACTOR = 2
# A tenant with slow receivers holds at most one of SHARE parts of the open deliveries.
SHARE = 4


class WebhookDispatcher(Dispatcher):
    """The deliveries of this process. `wake` is set when a callback was inserted here."""

    def __init__(self, service: Service, sender: Sender, wake: asyncio.Event) -> None:
        settings = service.settings
        limit = settings.callback_concurrency
        super().__init__(
            "webhooks",
            "callback_attempt_failed",
            limit=limit,
            share=max(1, limit // SHARE),
            drain_seconds=settings.drain_seconds,
            wake=wake,
        )
        self._service = service
        self._sender = sender
        self._lease = timedelta(seconds=settings.callback_timeout_seconds * LEASE_FACTOR)

    async def take(self, room: int, busy: list[str]) -> bool:
        """See Dispatcher; the owners are tenants."""
        async with self._service.sessions.begin() as session:
            claimed = await webhook_queries.claim(session, self._lease, room, busy)
        for callback in claimed:
            self.begin(self.deliver(callback), callback.tenant_id)
        return bool(claimed)

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
