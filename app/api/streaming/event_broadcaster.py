"""Brings events to the streams of a process: one loop reads, bounded queues take them.

A listener holds no connection. Every replica reads the same events in the same order, so a stream
goes on anywhere from the id of the last event that it saw.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator

from prometheus_client import Gauge

from app.api.streaming.event_subscription import Listener, render
from app.db.core.availability import DATABASE_ERRORS, is_away
from app.db.core.connections import Sessions
from app.db.events.queries import (
    BEGINNING,
    FINAL_TYPES,
    Event,
    Position,
    end_of_events,
    events_between,
    last_event,
)
from app.db.tenants.queries import live_keys
from app.errors import TooManyStreamsError
from app.log import get_logger

log = get_logger(__name__)

POLL_SECONDS = 0.1
AWAY_SECONDS = 1.0
# How long a stream may outlive its key.
KEYS_SECONDS = 2.0
PAGE = 100

RETRY = b"retry: 1000\n\n"
HEARTBEAT = b": heartbeat\n\n"
END = b"event: end\ndata: {}\n\n"

STREAMS = Gauge("deskgraph_event_streams", "Event streams that are open.")


class EventFeed:
    """The streams of this process and the loop that feeds them, which runs while there are any."""

    def __init__(self, sessions: Sessions, per_tenant: int) -> None:
        self._sessions = sessions
        self._per_tenant = per_tenant
        self._open: Counter[str] = Counter()
        self._listeners: set[Listener] = set()
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

    async def stream(self, listener: Listener, after: Position) -> AsyncGenerator[bytes, None]:
        """Server-sent events behind a position, heartbeats, and `end` after a run's last event.

        An end without `end` asks the reader to come again with its last id.
        """
        yield RETRY
        try:
            async for event in self._told(listener, after):
                yield HEARTBEAT if event is None else render(event)
                if event and listener.run_id is not None and event.type in FINAL_TYPES:
                    yield END
                    return
            yield RETRY
        except DATABASE_ERRORS as error:
            if not is_away(error):
                raise
            log.warning("stream_lost_database", error=str(error)[:200])
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """End every stream, also those that are just opening."""
        self._closing = True
        for listener in self._listeners:
            listener.close()

    async def _told(self, listener: Listener, after: Position) -> AsyncIterator[Event | None]:
        """Events in order, none twice; None for silence. What is stored first, then what comes."""
        await self._join(listener)
        full = True
        while full and not listener.closed:
            # Read after joining, so what the loop had passed by before is among it.
            for event in (page := await self._stored(listener, after)):
                yield event
                after = event.position
            full = len(page) == PAGE
        while True:
            try:
                following = await listener.next()
            except TimeoutError:
                yield None
                continue
            if following is None:
                return
            if following.position > after:
                yield following

    async def _stored(self, listener: Listener, after: Position) -> list[Event]:
        async with self._sessions() as session:
            end = await end_of_events(session)
            tenants = [listener.tenant_id]
            return await events_between(session, after, end, PAGE, tenants, listener.run_id)

    async def _join(self, listener: Listener) -> None:
        async with self._starting:
            if self._task is None or self._task.done():
                async with self._sessions() as session:
                    self._position = await last_event(session)
                self._listeners.add(listener)
                self._task = asyncio.create_task(self._feed())
        self._listeners.add(listener)
        if self._closing:
            listener.close()

    async def _feed(self) -> None:
        try:
            await self._feed_listeners()
        finally:
            # However the loop ends: nobody waits for what does not come.
            for listener in self._listeners:
                listener.close()

    async def _feed_listeners(self) -> None:
        checked = time.monotonic()
        while self._listeners:
            try:
                read = await self._pass_on()
                if time.monotonic() - checked > KEYS_SECONDS:
                    await self._drop_revoked()
                    checked = time.monotonic()
                # Readers get their turn between two pages of a flood.
                await asyncio.sleep(POLL_SECONDS if read < PAGE else 0)
            except DATABASE_ERRORS as error:
                if not is_away(error):
                    raise
                log.warning("events_wait_for_database", error=str(error)[:200])
                await asyncio.sleep(AWAY_SECONDS)

    async def _pass_on(self) -> int:
        tenants = {listener.tenant_id for listener in self._listeners}
        async with self._sessions() as session:
            last = await last_event(session)
            events = await events_between(session, self._position, last, PAGE, tenants)
        for event in events:
            for listener in self._listeners:
                if listener.tenant_id == event.tenant_id:
                    listener.offer(event)
        self._position = last if len(events) < PAGE else events[-1].position
        return len(events)

    async def _drop_revoked(self) -> None:
        async with self._sessions() as session:
            live = await live_keys(session, {listener.key_id for listener in self._listeners})
        for listener in self._listeners:
            if listener.key_id not in live:
                listener.close()
