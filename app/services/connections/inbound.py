"""Use case: act on a fact of a hook, once the ticket was read where it is.

What the desk says now counts, never what a hook said: hooks come late, twice, and out of order.
"""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.connectors.errors import CredentialsError, SettingsError
from app.connectors.helpdesk import DeskMessage, Helpdesk, TicketView
from app.connectors.hooks import Event
from app.db.connections import deliveries, inbox, queries
from app.db.core.connections import Sessions
from app.db.tables.connections import Connection, InboxItem
from app.errors import IdempotencyMismatchError
from app.log import get_logger
from app.services.connections.for_person import open_for_person
from app.services.connections.refund_news import note_refund
from app.services.connections.retries import GIVE_UP, wait_seconds
from app.services.connections.tickets import account_of, ticket_name
from app.services.conversations import takeover
from app.services.runs.start_and_cancel import NewRun, start
from tools.errors import UnavailableError

log = get_logger(__name__)

EVENT_FIELDS = tuple(field.name for field in fields(Event))
# The messages that a customer may write in a row before the first of them is read.
MOST_MESSAGES = 10
SUBJECT_CHARS, BODY_CHARS, NAME_CHARS = 500, 50_000, 200


async def read_item(sessions: Sessions, row: Connection, desk: Helpdesk, item: InboxItem) -> None:
    """Read the ticket of a claimed fact and act on it; what cannot be read now is due again."""
    event = stored_event(item)
    try:
        view = await desk.read(event.ticket_id)
        note = await act_on(sessions, row, event, view, item.id)
    except UnavailableError as error:
        await _again(sessions, row, item, str(error), error.retry_after)
    except CredentialsError as error:
        await _pause(sessions, row, item, str(error))
    except SettingsError as error:
        await _conclude(sessions, row, item, "dead", str(error))
    else:
        await _conclude(sessions, row, item, "done", note)


def stored_event(item: InboxItem) -> Event:
    """The fact as its hook said it."""
    known: dict[str, Any] = {name: item.event[name] for name in EVENT_FIELDS if name in item.event}
    return Event(**known)


async def read_refund(sessions: Sessions, item: InboxItem) -> None:
    """Act on what a provider said of a refund; nothing needs to be asked for it."""
    try:
        async with sessions.begin() as session:
            row = await queries.live_connection(session, item.connection_id)
            note = await note_refund(session, row, stored_event(item)) if row else "removed"
            await inbox.conclude(session, item, "done", note)
    except UnavailableError as error:
        async with sessions.begin() as session:
            wait = timedelta(seconds=wait_seconds(item.attempts, None))
            await inbox.postpone(session, item, wait, str(error))


async def _again(
    sessions: Sessions, row: Connection, item: InboxItem, why: str, retry_after: float | None
) -> None:
    if datetime.now(UTC) - item.received_at > GIVE_UP:
        await _conclude(sessions, row, item, "dead", why)
        return
    wait = timedelta(seconds=wait_seconds(item.attempts, retry_after))
    async with sessions.begin() as session:
        await inbox.postpone(session, item, wait, why)
        await queries.note_error(session, row.id, why)


async def _pause(sessions: Sessions, row: Connection, item: InboxItem, why: str) -> None:
    async with sessions.begin() as session:
        await inbox.postpone(session, item, timedelta(seconds=1), why)
        first = await queries.pause(session, row.id, why)
    if first:
        log.error("connection_paused", connection=row.id, tenant_id=row.tenant_id, why=why)


async def _conclude(
    sessions: Sessions, row: Connection, item: InboxItem, status: str, note: str
) -> None:
    async with sessions.begin() as session:
        await inbox.conclude(session, item, status, note)
        if status == "dead":
            await queries.note_error(session, row.id, note)
    say = log.error if status == "dead" else log.info
    say("hook_read", inbox=item.id, connection=row.id, tenant_id=row.tenant_id, status=status)


async def act_on(
    sessions: Sessions, row: Connection, event: Event, view: TicketView, at: int
) -> str:
    """Start runs for what the customer wrote, or give the ticket to whom it belongs now.

    `at` is the number of the fact: after a hand-back what the customer still waits for is asked
    again, once. Answers in a few words how it ended.
    """
    ticket_id = ticket_name(row.id, event.ticket_id)
    if view.gone:
        return "the ticket is gone"
    if event.kind == "failed":
        async with sessions.begin() as session:
            return await _not_delivered(session, row, ticket_id, event)
    if view.assignee or (event.kind == "message" and view.last_public_author == "person"):
        # A run that comes all the same is attached to it, and shown to the person.
        async with sessions.begin() as session:
            who = (view.assignee or "a person")[:NAME_CHARS]
            await takeover.take_over(session, row.tenant_id, ticket_id, who)
    elif event.kind == "handback":
        async with sessions.begin() as session:
            await takeover.hand_back(session, row.tenant_id, ticket_id)
        return await _start_runs(sessions, row, ticket_id, view, f" again {at}")
    if event.kind == "message":
        return await _start_runs(sessions, row, ticket_id, view)
    return "a person has the ticket"


async def _start_runs(
    sessions: Sessions, row: Connection, ticket_id: str, view: TicketView, again: str = ""
) -> str:
    """A run for each new message of the customer; a message that had one starts none."""
    waiting = new_messages(view)
    for message in waiting:
        # With a space, which no caller's Idempotency-Key holds.
        key = f"hook {row.id} {message.id}{again}"
        new = NewRun(_ticket(row, ticket_id, view, message), key, {"connection": row.id})
        try:
            async with sessions.raw_connection() as connection:
                await start(connection, row.tenant_id, row.key_id, new)
        except IdempotencyMismatchError:
            # It was edited at the desk after its run had begun.
            continue
    return f"{len(waiting)} messages wait for an answer"


def new_messages(view: TicketView) -> list[DeskMessage]:
    """What the customer wrote since anyone else last spoke to them, oldest first."""
    spoken = [m for m in view.messages if m.public and m.author != "system"]
    others = [at for at, message in enumerate(spoken) if message.author != "customer"]
    return spoken[(others[-1] + 1) if others else 0 :][-MOST_MESSAGES:]


def _ticket(
    row: Connection, ticket_id: str, view: TicketView, message: DeskMessage
) -> dict[str, Any]:
    customer, verified = account_of(row.id, view.requester)
    name = view.requester.name
    return {
        "id": ticket_id,
        "subject": view.subject[:SUBJECT_CHARS],
        "body": message.text[:BODY_CHARS],
        "channel": row.kind,
        "language": None,
        "headers": dict(message.headers),
        "customer": {"id": customer, "email": None, "name": name and name[:NAME_CHARS]},
        "connection": {"id": row.id, "verified": verified},
    }


async def _not_delivered(
    session: AsyncSession, row: Connection, ticket_id: str, event: Event
) -> str:
    """What the desk could not deliver goes to a person, and was not said."""
    if event.key is None:
        return "no key"
    if (message := await deliveries.message_of(session, row.tenant_id, event.key)) is None:
        return "unknown key"
    await deliveries.hide_message(session, row.tenant_id, event.key)
    await open_for_person(
        session, row.tenant_id, ticket_id, str(message.run_id),
        f"The desk could not deliver this reply:\n\n{message.text}",
    )  # fmt: skip
    return "a person gets the ticket"
