"""One open event stream: its bounded queue, and the bytes that it sends for an event."""

import asyncio
import json
from dataclasses import dataclass, field
from uuid import UUID

from prometheus_client import Counter

from app.db.tables.events import Event
from app.log import get_logger

log = get_logger(__name__)

HEARTBEAT_SECONDS = 15.0
# A reader that lets so many events pile up is dropped, and goes on by its last id.
QUEUE = 1000

DROPPED = Counter("deskgraph_event_streams_dropped_total", "Streams whose reader was too slow.")


@dataclass(eq=False, slots=True)
class EventSubscription:
    """One open stream: of a run, or of all that happens in its tenant."""

    tenant_id: str
    key_id: str
    run_id: UUID | None = None
    queue: "asyncio.Queue[Event | None]" = field(default_factory=lambda: asyncio.Queue(QUEUE))
    closed: bool = False

    def offer(self, event: Event) -> None:
        """Take an event if it is for this stream and there is room, else close."""
        if self.closed or self.run_id not in (None, event.run_id):
            return
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            DROPPED.inc()
            log.info("slow_reader_dropped", tenant_id=self.tenant_id)
            self.close()

    def close(self) -> None:
        """Forget what waits, and let the stream end."""
        self.closed = True
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(None)

    async def next(self) -> Event | None:
        """The next event, or None when the stream was closed. Raises TimeoutError on silence."""
        async with asyncio.timeout(HEARTBEAT_SECONDS):
            return await self.queue.get()


def render(event: Event) -> bytes:
    """An event as the bytes of a server-sent event; JSON holds no line break."""
    payload = {
        "type": event.type,
        "run_id": str(event.run_id),
        "at": event.created_at.isoformat(),
        "data": event.data,
    }
    return f"id: {event.position}\nevent: {event.type}\ndata: {json.dumps(payload)}\n\n".encode()
