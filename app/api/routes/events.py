"""/v1/events and /v1/runs/{run_id}/events: what happens, as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.types import Message, Receive, Scope, Send

from app.api.http import openapi_examples
from app.api.http.dependencies import BackendDep, EventBroadcasterDep, Reader
from app.api.http.guarded_route import GuardedRoute
from app.api.http.openapi_responses import documented_responses
from app.api.http.stream_tokens import TOKEN_SECONDS, StreamScope, issue_token
from app.api.streaming.event_broadcaster import END, RETRY, EventBroadcaster
from app.api.streaming.event_subscription import EventSubscription
from app.db.events.queries import (
    BEGINNING,
    LAST_SEQ,
    end_of_events,
    final_event,
    last_event,
)
from app.db.tables.events import Position
from app.db.tables.tenants import ApiKey
from app.errors import InvalidCursorError, TooManyStreamsError
from app.log import get_logger
from app.services.runs import start_and_cancel

log = get_logger(__name__)

router = APIRouter(prefix="/v1", tags=["events"], route_class=GuardedRoute)

# A reader that takes nothing for so long is given up, though its connection stands.
SEND_SECONDS = 30.0
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
PATTERN = r"^[0-9]{1,19}-[0-9]{1,19}$"
LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", pattern=PATTERN, description="Go on behind this event."),
]
After = Annotated[
    str | None, Query(pattern=PATTERN, description="The same, for clients without the header.")
]


StreamReader = Annotated[ApiKey, Depends(StreamScope(("runs:read",)))]
TOKEN: dict[str, Any] = {
    "token": "WyJhY21lIiwiZTE1NTU3NjA5NGQwIl0.aSs8kA.qTs3kz",
    "expires_at": "2026-11-22T09:05:00Z",
}


class StreamTokenOut(BaseModel):
    """A token for the address of an event stream."""

    token: str
    expires_at: Annotated[datetime, Field(description="Until then it opens streams.")]


class EventStream(StreamingResponse):
    """A response that gives up a reader who takes nothing, and says when it is over."""

    media_type = "text/event-stream"

    def __init__(
        self, chunks: AsyncGenerator[bytes, None], leave: Callable[[], None] | None = None
    ) -> None:
        super().__init__(chunks, headers=HEADERS)
        self.chunks = chunks
        self.leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; however that ends, also before a first byte, the stream is over then."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.leave:
                self.leave()

    async def stream_response(self, send: Send) -> None:
        """Send until the stream ends or the reader stands still."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(SEND_SECONDS):
                await send(message)

        try:
            await super().stream_response(send_in_time)
        except TimeoutError:
            log.info("still_reader_given_up")
        finally:
            # Else it would be a subscription until it is collected.
            await self.chunks.aclose()


# OpenAPI 3.1 has no word for the items of a stream; this is the shape of each event in it.
EVENT = {
    "type": "object",
    "description": "One server-sent event. A line that begins with `:` is a heartbeat; `event: end`"
    " with the data `{}` ends a run's stream.",
    "properties": {
        "id": {"type": "string", "description": "Sent back as `Last-Event-ID` to go on behind it."},
        "event": {"type": "string", "description": "The `type` of the data, or `end`."},
        "retry": {"type": "integer", "description": "Milliseconds until a reader comes again."},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {
                "anyOf": [
                    {"$ref": "#/components/schemas/Event"},
                    {"type": "object", "maxProperties": 0},
                ]
            },
        },
    },
}
STREAMED = documented_responses(
    200,
    openapi_examples.EVENTS,
    InvalidCursorError,
    TooManyStreamsError,
    media_type=EventStream.media_type,
)
STREAMED[200]["content"][EventStream.media_type]["schema"] = EVENT


def admitted(
    broadcaster: EventBroadcaster, subscription: EventSubscription, position: Position
) -> EventStream:
    """A stream that counts among those of its tenant. Raises TooManyStreamsError."""
    broadcaster.admit(subscription.tenant_id)
    leave = partial(broadcaster.leave, subscription.tenant_id)
    return EventStream(broadcaster.stream(subscription, position), leave)


@router.post(
    "/events/tokens",
    status_code=201,
    response_model=StreamTokenOut,
    responses=documented_responses(201, TOKEN),
)
async def issue_stream_token(backend: BackendDep, key: Reader) -> StreamTokenOut:
    """A token that opens event streams for five minutes, without the key in the browser."""
    until = datetime.now(UTC) + timedelta(seconds=TOKEN_SECONDS)
    return StreamTokenOut(token=issue_token(backend, key), expires_at=until)


@router.get("/events", status_code=200, response_class=EventStream, responses=STREAMED)
async def follow_tenant(
    backend: BackendDep, broadcaster: EventBroadcasterDep, key: StreamReader,
    last_event_id: LastEventId = None, after: After = None,
) -> EventStream:  # fmt: skip
    """All that happens to the tenant's runs from now on, or behind an event."""
    async with backend.sessions() as session:
        end, last = await end_of_events(session), await last_event(session)
    position = read_position(last_event_id or after, end) or last
    return admitted(broadcaster, EventSubscription(key.tenant_id, key.id), position)


@router.get(
    "/runs/{run_id}/events", status_code=200, response_class=EventStream, responses=STREAMED
)
async def follow_run(
    run_id: UUID, backend: BackendDep, broadcaster: EventBroadcasterDep, key: StreamReader,
    last_event_id: LastEventId = None, after: After = None,
) -> EventStream:  # fmt: skip
    """All that happened and happens to a run; ends with `end` when the run has."""
    async with backend.sessions() as session:
        run = await start_and_cancel.get(session, key.tenant_id, run_id)
        last = await final_event(session, key.tenant_id, run_id) if run.finished_at else None
        end = await end_of_events(session)
    position = read_position(last_event_id or after, end) or BEGINNING
    if run.finished_at and (last is None or last <= position):
        return EventStream(_ended())
    return admitted(broadcaster, EventSubscription(key.tenant_id, key.id, run_id), position)


async def _ended() -> AsyncGenerator[bytes, None]:
    yield RETRY
    yield END


def read_position(sent: str | None, end: Position) -> Position | None:
    """The place that an event's id names.

    Raises:
        InvalidCursorError: no event can have had it, or it is that of another database.
    """
    if sent is None:
        return None
    position = Position(*map(int, sent.split("-")))
    if position > end or position.seq > LAST_SEQ:
        raise InvalidCursorError("No event has this id; read the run, and start without one.")
    return position
