"""Delivers replies and hand-offs to connected desks, and reads what their hooks said."""

import asyncio
from datetime import timedelta

from app.connectors.helpdesk import Helpdesk
from app.db.connections import deliveries, inbox, queries
from app.db.core.availability import DATABASE_ERRORS, log_database_error
from app.db.tables.connections import Connection, Delivery, InboxItem
from app.errors import DeskgraphError
from app.execution.wiring import Service
from app.services.connections.deliver import deliver
from app.services.connections.delivery_ends import end
from app.services.connections.inbound import read_item, read_refund
from app.services.connections.manage import connector_of, open_connection
from app.services.connections.pausing import pause_connection
from app.worker.dispatcher import Dispatcher

# A call of a desk ends within its timeout, and an attempt makes a few of them.
LEASE = timedelta(seconds=150)
AT_ONCE, SHARE = 16, 4


class DeskDispatcher(Dispatcher):
    """What this process does for desks; the owners are connections."""

    def __init__(self, service: Service) -> None:
        super().__init__(
            "desks",
            "desk_attempt_failed",
            limit=AT_ONCE,
            share=SHARE,
            drain_seconds=service.settings.drain_seconds,
            wake=asyncio.Event(),
        )
        self._service = service
        self._facts_first = False

    async def take(self, room: int, busy: list[str]) -> bool:
        """See Dispatcher; facts and deliveries come first in turn, so that a desk whose hooks never
        cease gets its replies all the same."""
        self._facts_first = not self._facts_first
        async with self._service.sessions.begin() as session:
            if self._facts_first:
                facts = await inbox.claim(session, LEASE, room, busy)
                due = await deliveries.claim(session, LEASE, room - len(facts), busy)
            else:
                due = await deliveries.claim(session, LEASE, room, busy)
                facts = await inbox.claim(session, LEASE, room - len(due), busy)
        for fact in facts:
            self.begin(self.read(fact), fact.connection_id)
        for delivery in due:
            self.begin(self.deliver(delivery), delivery.connection_id)
        return bool(facts or due)

    async def deliver(self, delivery: Delivery) -> None:
        """Make one claimed attempt."""
        try:
            found = await self._desk_of(delivery.connection_id)
            if found is not None:
                await deliver(self._service.sessions, *found, delivery)
            elif await self._is_removed(delivery.connection_id):
                await end(self._service.sessions, delivery, "cancelled")
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
            service = self._service
            opened = open_connection(row, service.vault, service.http, service.sessions)
        except DeskgraphError as error:
            await pause_connection(self._service.sessions, row, error.detail)
            return None
        make = connector_of(row.kind).desk
        return (row, make(opened)) if make is not None else None


async def deliver_to_desks(service: Service, stop: asyncio.Event) -> None:
    """Deliver to desks and read their hooks until `stop` is set."""
    await DeskDispatcher(service).work(stop)
