"""Fans events out to the streams of a process: one loop reads, each stream has a bounded queue.

A subscription holds no connection. Every replica reads the same events in the same order, so a
client can resume its stream on any replica from the id of the last event it saw.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from prometheus_client import Gauge

from app.api.streaming.event_subscription import EventSubscription, render
from app.db.core.availability import DATABASE_ERRORS, log_database_error, wait_out
from app.db.core.connections import Sessions
from app.db.events.queries import (
    BEGINNING,
    FINAL_TYPES,
    end_of_events,
    events_between,
    last_event,
)
from app.db.tables.events import Event, Position
from app.db.tenants.queries import live_keys
from app.errors import TooManyStreamsError

POLL_SECONDS = 0.1
UNAVAILABLE_SECONDS = 1.0
# How long a stream may outlive its key.
KEYS_SECONDS = 2.0
PAGE = 100

RETRY = b"retry: 1000\n\n"
HEARTBEAT = b": heartbeat\n\n"
END = b"event: end\ndata: {}\n\n"

STREAMS = Gauge("deskgraph_event_streams", "Event streams that are open.")


class EventBroadcaster:
    """The streams of this process and the loop that feeds them, which runs while there are any."""

    def __init__(self, sessions: Sessions, per_tenant: int) -> None:
        self._sessions = sessions
        self._per_tenant = per_tenant
        self._open: Counter[str] = Counter()
        self._subscriptions: set[EventSubscription] = set()
        self._closing = False
        self._position = BEGINNING
        self._starting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def admit(self, tenant_id: str) -> None:
        """Count one more open stream of the tenant, until `leave`.

        Raises:
            TooManyStreamsError.
        """
        if self._open[tenant_id] >= self._per_tenant:
            raise TooManyStreamsError(
                f"{self._per_tenant} event streams are open here; close one, or follow the tenant's"
                " stream instead of one for each run."
            )
        self._open[tenant_id] += 1
        STREAMS.inc()

    def leave(self, tenant_id: str) -> None:
        """A stream that was admitted is over."""
        self._open -= Counter([tenant_id])
        STREAMS.dec()

    async def stream(
        self, subscription: EventSubscription, after: Position
    ) -> AsyncGenerator[bytes, None]:
        """Server-sent events behind a position, heartbeats, and `end` after a run's last event.

        An end without `end` asks the reader to come again with its last id.
        """
        yield RETRY
        try:
            async with aclosing(self.events(subscription, after)) as events:
                async for event in events:
                    yield HEARTBEAT if event is None else render(event)
                    if event and subscription.run_id is not None and event.type in FINAL_TYPES:
                        yield END
                        return
            yield RETRY
        except DATABASE_ERRORS as error:
            log_database_error(error, "event_stream")

    def close(self) -> None:
        """End every stream, also those that are just opening."""
        self._closing = True
        for subscription in self._subscriptions:
            subscription.close()

    async def events(
        self, subscription: EventSubscription, after: Position
    ) -> AsyncGenerator[Event | None, None]:
        """Events in order, none twice: stored ones first, then new ones; None means silence.

        Ends when the broadcaster closes the subscription. Raises DATABASE_ERRORS.
        """
        try:
            async for event in self._events(subscription, after):
                yield event
        finally:
            self._subscriptions.discard(subscription)

    async def _events(
        self, subscription: EventSubscription, after: Position
    ) -> AsyncIterator[Event | None]:
        await self._join(subscription)
        full = True
        while full and not subscription.closed:
            # Read after joining, so what the loop had passed by before is among it.
            for event in (page := await self._stored(subscription, after)):
                yield event
                after = event.position
            full = len(page) == PAGE
        while True:
            try:
                following = await subscription.next()
            except TimeoutError:
                yield None
                continue
            if following is None:
                return
            if following.position > after:
                yield following

    async def _stored(self, subscription: EventSubscription, after: Position) -> list[Event]:
        async with self._sessions() as session:
            end = await end_of_events(session)
            tenants = [subscription.tenant_id]
            return await events_between(session, after, end, PAGE, tenants, subscription.run_id)

    async def _join(self, subscription: EventSubscription) -> None:
        async with self._starting:
            if self._task is None or self._task.done():
                async with self._sessions() as session:
                    self._position = await last_event(session)
                self._subscriptions.add(subscription)
                self._task = asyncio.create_task(self._feed())
        self._subscriptions.add(subscription)
        if self._closing:
            subscription.close()

    async def _feed(self) -> None:
        try:
            await self._feed_subscriptions()
        finally:
            # However the loop ends, no stream may wait for events that will not come.
            for subscription in self._subscriptions:
                subscription.close()

    async def _feed_subscriptions(self) -> None:
        checked = time.monotonic()
        while self._subscriptions:
            try:
                read = await self._pass_on()
                if time.monotonic() - checked > KEYS_SECONDS:
                    await self._drop_revoked()
                    checked = time.monotonic()
                # Readers get their turn between two pages of a flood.
                await asyncio.sleep(POLL_SECONDS if read < PAGE else 0)
            except DATABASE_ERRORS as error:
                await wait_out(error, "event_broadcaster", UNAVAILABLE_SECONDS)

    async def _pass_on(self) -> int:
        tenants = {subscription.tenant_id for subscription in self._subscriptions}
        async with self._sessions() as session:
            last = await last_event(session)
            events = await events_between(session, self._position, last, PAGE, tenants)
        for event in events:
            for subscription in self._subscriptions:
                if subscription.tenant_id == event.tenant_id:
                    subscription.offer(event)
        self._position = last if len(events) < PAGE else events[-1].position
        return len(events)

    async def _drop_revoked(self) -> None:
        async with self._sessions() as session:
            live = await live_keys(
                session, {subscription.key_id for subscription in self._subscriptions}
            )
        for subscription in self._subscriptions:
            if subscription.key_id not in live:
                subscription.close()
