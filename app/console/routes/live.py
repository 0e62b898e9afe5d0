"""/console/live: how much waits, and which approvals changed, as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from fastapi import APIRouter, Response

from app.api.http.dependencies import BackendDep, EventBroadcasterDep
from app.api.routes.events import EventStream
from app.api.streaming.event_broadcaster import HEARTBEAT, RETRY, EventBroadcaster
from app.api.streaming.event_subscription import EventSubscription
from app.console.console_route import ConsoleRoute
from app.console.viewer import READS_WHAT_WAITS, Viewer, ViewerDep
from app.console.views.words import count
from app.db.console.inbox import Wanted, count_waiting
from app.db.core.availability import DATABASE_ERRORS, log_database_error
from app.db.core.connections import Sessions
from app.db.events.queries import FINAL_TYPES, last_event
from app.db.tables.events import Event, Position
from app.services.console.sign_in import person_of

router = APIRouter(prefix="/console", route_class=ConsoleRoute)

# Events of so long go into one look at the database, however many there are.
GATHER_SECONDS = 0.3


@router.get("/live")
async def live(
    backend: BackendDep, broadcaster: EventBroadcasterDep, viewer: ViewerDep
) -> Response:
    """What changes, from now on; a browser that comes again is given the count as it is then."""
    viewer.need(*READS_WHAT_WAITS)
    async with backend.sessions() as session:
        position = await last_event(session)
    broadcaster.admit(viewer.tenant_id)
    changes = follow(backend.sessions, broadcaster, viewer, position)
    return EventStream(changes, partial(broadcaster.leave, viewer.tenant_id))


async def follow(
    sessions: Sessions, broadcaster: EventBroadcaster, viewer: Viewer, position: Position
) -> AsyncGenerator[bytes, None]:
    """The count whenever it changes, and the name of each approval and run that did.

    Ends when the person signs out, their key is revoked, or their role no longer reads approvals.
    """
    yield RETRY
    subscription = EventSubscription(viewer.tenant_id, viewer.key.id)
    known = -1
    try:
        async with aclosing(broadcaster.events(subscription, position)) as events:
            if (known := await waiting_for(sessions, viewer)) >= 0:
                yield message("waiting", count(known))
            async for event in events:
                await asyncio.sleep(GATHER_SECONDS if event else 0)
                changed = names_in([event, *taken(subscription)])
                if event and not changed:
                    continue
                if (counted := await waiting_for(sessions, viewer)) < 0:
                    return
                for name in sorted(changed):
                    yield message(name, "changed")
                if counted != known or changed:
                    yield message("waiting", count(counted))
                    known = counted
                yield HEARTBEAT
    except DATABASE_ERRORS as error:
        log_database_error(error, "console_stream")


def taken(subscription: EventSubscription) -> list[Event | None]:
    """What has come meanwhile; the sign that the stream is closed stays."""
    found: list[Event | None] = []
    while not subscription.closed and not subscription.queue.empty():
        found.append(subscription.queue.get_nowait())
    return found


def names_in(events: list[Event | None]) -> set[str]:
    """The names under which pages follow what these events are about.

    Other events, such as those of steps, change nothing that waits for a person.
    """
    approvals = {
        f"approval-{event.data['approval_id']}"
        for event in events
        if event is not None and event.type.startswith("approval.")
    }
    return approvals | {
        f"run-{event.run_id}" for event in events if event is not None and event.type in FINAL_TYPES
    }


async def waiting_for(sessions: Sessions, viewer: Viewer) -> int:
    """How much waits that the person has not put off; -1 once they may not see that."""
    async with sessions() as session:
        key = await person_of(session, viewer.opaque)
        if key is None or not Viewer(key, viewer.opaque).sees_what_waits:
            return -1
        counts = await count_waiting(session, Wanted(viewer.tenant_id, viewer.key.id))
    return sum(counts.values())


def message(event: str, data: str) -> bytes:
    """One server-sent event."""
    return f"event: {event}\ndata: {data}\n\n".encode()
