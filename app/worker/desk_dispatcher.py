"""Delivers replies and hand-offs to connected desks, and reads what their hooks said.

The tables are the queues (docs/adr/0013): a claim moves `next_at` on, so what a dead worker had
taken is due again by itself, and a slow desk occupies no place of a run.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any

from app.connectors.helpdesk import Helpdesk
from app.db.connections import deliveries, inbox, queries
from app.db.core.availability import DATABASE_ERRORS, log_database_error, wait_out
from app.db.tables.connections import Connection, Delivery, InboxItem
from app.errors import DeskgraphError
from app.execution.wiring import Service
from app.log import get_logger
from app.services.connections.deliver import deliver
from app.services.connections.delivery_ends import end_of_removed
from app.services.connections.inbound import read_item, read_refund
from app.services.connections.manage import connector_of, open_connection

log = get_logger(__name__)

POLL_SECONDS = 0.5
# A call of a desk ends within its timeout, and an attempt makes a few of them.
LEASE = timedelta(seconds=150)
AT_ONCE, SHARE = 16, 4


class DeskDispatcher:
    """What this process does for desks."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._wake = asyncio.Event()
        self._open: dict[asyncio.Task[None], str] = {}
        self._facts_first = False

    async def work(self, stop: asyncio.Event) -> None:
        """Deliver and read until `stop`; then wait for what is open."""
        while not stop.is_set():
            self._wake.clear()
            try:
                while await self._take():
                    pass
            except DATABASE_ERRORS as error:
                await wait_out(error, "desks", 0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        if self._open:
            _, late = await asyncio.wait(self._open, timeout=self._service.settings.drain_seconds)
            for task in late:
                task.cancel()

    async def _take(self) -> bool:
        """Claim a batch and begin it; False when nothing is due, or there is no room."""
        room = min(SHARE, AT_ONCE - len(self._open))
        if room <= 0:
            return False
        busy = [name for name, count in Counter(self._open.values()).items() if count >= SHARE]
        # In turn, so that a desk whose hooks never cease gets its replies all the same.
        self._facts_first = not self._facts_first
        async with self._service.sessions.begin() as session:
            if self._facts_first:
                facts = await inbox.claim(session, LEASE, room, busy)
                due = await deliveries.claim(session, LEASE, room - len(facts), busy)
            else:
                due = await deliveries.claim(session, LEASE, room, busy)
                facts = await inbox.claim(session, LEASE, room - len(due), busy)
        for fact in facts:
            self._begin(self.read(fact), fact.connection_id)
        for delivery in due:
            self._begin(self.deliver(delivery), delivery.connection_id)
        return bool(facts or due)

    def _begin(self, work: Coroutine[Any, Any, None], connection_id: str) -> None:
        task = asyncio.create_task(work)
        self._open[task] = connection_id
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        del self._open[task]
        if not task.cancelled() and (error := task.exception()):
            log.error("desk_attempt_failed", error=error, exc_info=error)
        self._wake.set()

    async def deliver(self, delivery: Delivery) -> None:
        """Make one claimed attempt; interrupted, it is due again after its lease."""
        try:
            found = await self._desk_of(delivery.connection_id)
            if found is not None:
                await deliver(self._service.sessions, *found, delivery)
            elif await self._is_removed(delivery.connection_id):
                await end_of_removed(self._service.sessions, delivery)
        except DATABASE_ERRORS as error:
            log_database_error(error, "desks")

    async def read(self, item: InboxItem) -> None:
        """Act on one claimed fact; what cannot be read now is read again later."""
        sessions = self._service.sessions
        try:
            if item.event["kind"] == "refund":
                await read_refund(sessions, item)
            elif (found := await self._desk_of(item.connection_id)) is not None:
                await read_item(sessions, *found, item)
        except DATABASE_ERRORS as error:
            log_database_error(error, "desks")

    async def _is_removed(self, connection_id: str) -> bool:
        async with self._service.sessions() as session:
            return await queries.live_connection(session, connection_id) is None

    async def _desk_of(self, connection_id: str) -> tuple[Connection, Helpdesk] | None:
        """The connection and its desk; None for one that is removed, or that cannot be opened,
        which pauses it."""
        async with self._service.sessions() as session:
            row = await queries.live_connection(session, connection_id)
        if row is None:
            return None
        try:
            opened = open_connection(row, self._service.vault, self._service.http)
        except DeskgraphError as error:
            async with self._service.sessions.begin() as session:
                first = await queries.pause(session, row.id, error.detail)
            if first:
                log.exception("connection_paused", connection=row.id, why=error.detail)
            return None
        make = connector_of(row.kind).desk
        return (row, make(opened)) if make is not None else None


async def deliver_to_desks(service: Service, stop: asyncio.Event) -> None:
    """Deliver to desks and read their hooks until `stop` is set."""
    await DeskDispatcher(service).work(stop)
