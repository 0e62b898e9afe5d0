"""Use case: act on a fact of a hook, once the ticket was read where it is.

What the desk says now counts, never what a hook said: hooks come late, twice, and out of order.
"""

from dataclasses import fields
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.connectors.errors import CredentialsError, SettingsError
from app.connectors.helpdesk import DeskMessage, Helpdesk, TicketView
from app.connectors.hooks import Event
from app.db.connections import deliveries, inbox, queries
from app.db.core.connections import Sessions
from app.db.effects import takeovers
from app.db.tables.connections import Connection, InboxItem
from app.errors import IdempotencyMismatchError
from app.formats.strict_json import repaired
from app.log import get_logger
from app.services.connections.for_person import open_for_person, without_run
from app.services.connections.order import is_taken_after
from app.services.connections.pausing import pause_connection
from app.services.connections.refund_news import give_up_refund, note_refund
from app.services.connections.retries import (
    attempt_of,
    is_given_up,
    left_alone_until,
    wait_seconds,
)
from app.services.connections.tickets import account_of, ticket_name
from app.services.connections.unseen_people import unseen_people
from app.services.conversations import takeover
from app.services.runs.start_and_cancel import NewRun, start
from tools.errors import UnavailableError

log = get_logger(__name__)

EVENT_FIELDS = tuple(field.name for field in fields(Event))
# The messages that a customer may write in a row before the first of them is read.
MOST_MESSAGES = 10
SUBJECT_CHARS, BODY_CHARS, NAME_CHARS = 500, 50_000, 200
UNREAD = (
    "Something happened on this ticket on {day:%Y-%m-%d} (UTC), and it could not be read at {name}"
    " for a day, so the bot has not answered: {why}.\n"
    "Please look at the ticket in the helpdesk."
)


async def read_item(sessions: Sessions, row: Connection, desk: Helpdesk, item: InboxItem) -> None:
    """Read the ticket of a claimed fact and act on it; what cannot be read now is due again."""
    event = stored_event(item)
    try:
        async with sessions() as session:
            newest = await inbox.newest_id(session, row.tenant_id)
        async with attempt_of("the ticket was not read"):
            view = await desk.read(event.ticket_id)
        note = await act_on(sessions, row, item, event, view, newest)
    except UnavailableError as error:
        await _again(sessions, row, item, str(error), error.retry_after)
    except CredentialsError as error:
        await _pause(sessions, row, item, str(error))
    except SettingsError as error:
        # The desk may be in the middle of a change, and no person sees a message that is dropped.
        await _again(sessions, row, item, str(error), None)
    else:
        await _done(sessions, row, item, note)


def stored_event(item: InboxItem) -> Event:
    """The fact as its hook said it."""
    known: dict[str, Any] = {name: item.event[name] for name in EVENT_FIELDS if name in item.event}
    return Event(**known)


async def read_refund(sessions: Sessions, item: InboxItem) -> None:
    """Act on what a provider said of a refund; nothing needs to be asked for it.

    One whose own call never ends goes to a person after a day: the two do not agree.
    """
    try:
        async with sessions.begin() as session:
            row = await queries.live_connection(session, item.connection_id)
            note = await note_refund(session, row, stored_event(item)) if row else "removed"
            await inbox.conclude(session, item, "done", note)
    except UnavailableError as error:
        async with sessions.begin() as session:
            if is_given_up(item.received_at, item.attempts):
                if await inbox.conclude(session, item, "dead", str(error)):
                    await give_up_refund(session, item.tenant_id, stored_event(item))
                return
            wait = timedelta(seconds=wait_seconds(item.attempts, None))
            await inbox.postpone(session, item, wait, str(error))


async def _again(
    sessions: Sessions, row: Connection, item: InboxItem, why: str, retry_after: float | None
) -> None:
    if is_given_up(item.received_at, item.attempts):
        await _give_up(sessions, row, item, why)
        return
    wait = timedelta(seconds=wait_seconds(item.attempts, retry_after))
    async with sessions.begin() as session:
        # The connection's row first, as its removal does.
        await queries.note_error(session, row.id, why, left_alone_until(retry_after))
        await inbox.postpone(session, item, wait, why)


async def _give_up(sessions: Sessions, row: Connection, item: InboxItem, why: str) -> None:
    """A person gets the ticket, once however many of its hooks end so."""
    event = stored_event(item)
    ticket_id = ticket_name(row.id, event.ticket_id)
    summary = UNREAD.format(day=item.received_at, name=row.name, why=why)
    error = f"ticket {ticket_id.partition(':')[2]} could not be read, so a person gets it: {why}"
    async with sessions.begin() as session:
        await queries.note_error(session, row.id, error)
        if not await inbox.conclude(session, item, "dead", why):
            return
        await open_for_person(session, row.tenant_id, ticket_id, without_run(ticket_id), summary)
    log.error("hook_read", inbox=item.id, connection=row.id, tenant_id=row.tenant_id, status="dead")


async def _pause(sessions: Sessions, row: Connection, item: InboxItem, why: str) -> None:
    async with sessions.begin() as session:
        await inbox.postpone(session, item, timedelta(seconds=1), why)
    await pause_connection(sessions, row, why)


async def _done(sessions: Sessions, row: Connection, item: InboxItem, note: str) -> None:
    async with sessions.begin() as session:
        await inbox.conclude(session, item, "done", note)
    log.info("hook_read", inbox=item.id, connection=row.id, tenant_id=row.tenant_id, status="done")


async def act_on(
    sessions: Sessions,
    row: Connection,
    item: InboxItem,
    event: Event,
    view: TicketView,
    newest: int,
) -> str:
    """Start runs for what the customer wrote, or give the ticket to whom it belongs now.

    `newest` is the newest fact that was there before the ticket was read. Answers in a few words
    how it ended.

    Raises:
        UnavailableError: the ticket was handed back since it was read, so it is read again.
    """
    ticket_id = ticket_name(row.id, event.ticket_id)
    if view.gone:
        return "the ticket is gone"
    if event.kind == "failed":
        async with sessions.begin() as session:
            return await _not_delivered(session, row, ticket_id, event)
    if event.kind == "handback" and not view.assignee:
        again = await _hand_back(sessions, row, item, event, view)
        if again is None:
            return "a person took the ticket after it was handed back"
        return await _start_runs(sessions, row, ticket_id, view, again)
    async with sessions.begin() as session:
        unseen = await unseen_people(session, row, view)
        if view.assignee or unseen:
            await _take_over(session, row, event, view, unseen, newest)
    if event.kind == "message":
        # A run for a ticket that a person has is attached to it, and shown to the person.
        return await _start_runs(sessions, row, ticket_id, view)
    return "a person has the ticket"


async def _take_over(
    session: AsyncSession,
    row: Connection,
    event: Event,
    view: TicketView,
    unseen: list[str],
    newest: int,
) -> None:
    ticket_id, who = ticket_name(row.id, event.ticket_id), view.assignee or "a person"
    await takeover.take_over(session, row.tenant_id, ticket_id, who[:NAME_CHARS])
    # With the thread's lock: a hand-back waits for it, or is seen here.
    if await inbox.is_handed_back_after(session, row, event.ticket_id, newest):
        raise UnavailableError("the ticket was handed back meanwhile")
    await inbox.keep_seen(session, row, unseen)


async def _hand_back(
    sessions: Sessions, row: Connection, item: InboxItem, event: Event, view: TicketView
) -> str | None:
    """Let the bot have the ticket. What the customer waits for is asked again, by this name, if a
    person had it: a hand-back that is said twice asks once. None when a person took it since.

    The people who wrote until now are seen; the hook of one of them that still comes is an old one
    where the desk says so, else a new one.
    """
    ticket_id = ticket_name(row.id, event.ticket_id)
    async with sessions.begin() as session:
        await takeovers.lock_thread(session, row.tenant_id, ticket_id)
        if await is_taken_after(session, row, event):
            return None
        if await takeover.give_back(session, row.tenant_id, ticket_id):
            await inbox.note_again(session, item)
        await inbox.keep_seen(session, row, await unseen_people(session, row, view))
    return f" again {item.id}" if item.event.get("again") else ""


async def _start_runs(
    sessions: Sessions, row: Connection, ticket_id: str, view: TicketView, again: str = ""
) -> str:
    """A run for each new message of the customer; a message that had one starts none."""
    waiting = new_messages(view)
    for message in waiting:
        # With a space, which no caller's Idempotency-Key holds.
        key = f"hook {row.id} {message.name}{again}"
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
    customer, verified = account_of(row.id, view.requester, ticket_id)
    name = view.requester.name
    # A mail may hold what Postgres cannot: NUL, and halves of surrogate pairs.
    ticket: dict[str, Any] = repaired(
        {
            "id": ticket_id,
            "subject": view.subject[:SUBJECT_CHARS],
            "body": message.text[:BODY_CHARS],
            "channel": row.kind,
            "language": None,
            "headers": dict(message.headers),
            "customer": {"id": customer, "email": None, "name": name and name[:NAME_CHARS]},
            "connection": {"id": row.id, "verified": verified},
        }
    )
    return ticket


async def _not_delivered(
    session: AsyncSession, row: Connection, ticket_id: str, event: Event
) -> str:
    """What the desk could not deliver goes to a person, and was not said."""
    if event.key is None:
        return "no key"
    message = await deliveries.message_of(session, row.tenant_id, event.key)
    if message is None or message.ticket_id != ticket_id:
        return "no key of this ticket"
    await deliveries.hide_message(session, row.tenant_id, event.key)
    await open_for_person(
        session, row.tenant_id, ticket_id, str(message.run_id),
        f"The desk could not deliver this reply:\n\n{message.text}",
    )  # fmt: skip
    return "a person gets the ticket"
