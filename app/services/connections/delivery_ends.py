"""How a delivery ended, written down: sent, not sent, to be tried again, or nothing goes at all.

Each locks the connection's row before the delivery's, as its removal does: no deadlock.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.connectors.helpdesk import AlreadyPosted, Answer, Closed, Gone, Overtaken, Posted, Refused
from app.db.connections import deliveries, queries
from app.db.core.connections import Sessions
from app.db.tables.connections import Connection, Delivery
from app.log import get_logger
from app.services.connections.for_person import open_for_person, without_run
from app.services.connections.pausing import pause_connection
from app.services.connections.retries import is_given_up, left_alone_until, wait_seconds

log = get_logger(__name__)

SOON = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Work:
    """What a delivery is about: the text, and the run that wrote it; None where none did."""

    text: str
    run_id: str | None


async def settle(
    sessions: Sessions, row: Connection, delivery: Delivery, work: Work, answer: Answer
) -> None:
    """Write down what the desk answered, and what follows from it."""
    match answer:
        case Posted(id=desk_id) | AlreadyPosted(id=desk_id):
            await _sent(sessions, row, delivery, work, desk_id)
        case Overtaken():
            await _not_sent(sessions, row, delivery, work, "overtaken", None)
        case Gone():
            await end(sessions, delivery, "gone", "the ticket is gone")
        case Closed():
            await _not_sent(sessions, row, delivery, work, "closed", "the ticket is closed")
        case Refused(why=why):
            await _not_sent(sessions, row, delivery, work, "refused", why)


async def _sent(
    sessions: Sessions, row: Connection, delivery: Delivery, work: Work, desk_id: str
) -> None:
    """It is there; the ticket's fields follow, once the run has ended."""
    async with sessions.begin() as session:
        await queries.note_write(session, row.id)
        ended = await deliveries.conclude(session, delivery, "sent", desk_id=desk_id)
        if delivery.kind in ("reply", "handoff") and work.run_id is not None:
            await _queue(session, row, delivery, "fields", work.run_id)
    _log(delivery, "sent" if ended else "lost", None)


async def _queue(
    session: AsyncSession, row: Connection, delivery: Delivery, kind: str, key: str
) -> None:
    await deliveries.add(
        session,
        tenant_id=delivery.tenant_id,
        connection_id=row.id,
        ticket_id=delivery.ticket_id,
        kind=kind,
        key=key,
    )


async def end(
    sessions: Sessions, delivery: Delivery, status: str, error: str | None = None
) -> None:
    """Nothing is to be done any more: the ticket, the words or the connection are gone."""
    async with sessions.begin() as session:
        if error is not None:
            await queries.note_error(session, delivery.connection_id, error)
        ended = await deliveries.conclude(session, delivery, status, error=error)
        if ended and delivery.kind == "reply":
            await deliveries.hide_message(session, delivery.tenant_id, delivery.key)
    _log(delivery, status if ended else "lost", error)


async def _not_sent(
    sessions: Sessions,
    row: Connection,
    delivery: Delivery,
    work: Work,
    status: str,
    error: str | None,
) -> None:
    """The customer did not get it: it is no public message, and a person sees the draft."""
    async with sessions.begin() as session:
        if error is not None:
            await queries.note_error(session, row.id, error)
        ended = await deliveries.conclude(session, delivery, status, error=error)
        if ended and delivery.kind == "reply":
            await deliveries.hide_message(session, delivery.tenant_id, delivery.key)
            await _queue(session, row, delivery, "draft", delivery.key)
            if status != "overtaken":
                summary = f"A reply was not delivered: {error}.\n\n{work.text}"
                run_id = work.run_id or without_run(delivery.ticket_id)
                await open_for_person(
                    session, delivery.tenant_id, delivery.ticket_id, run_id, summary
                )
    _log(delivery, status if ended else "lost", error)


async def later(
    sessions: Sessions,
    row: Connection,
    delivery: Delivery,
    work: Work,
    error: str,
    retry_after: float | None,
) -> None:
    """What happened is unknown: look again after a while; the whole connection waits if asked."""
    if is_given_up(delivery.created_at, delivery.attempts):
        await _not_sent(sessions, row, delivery, work, "failed", error)
        return
    wait = timedelta(seconds=wait_seconds(delivery.attempts, retry_after))
    async with sessions.begin() as session:
        await queries.note_error(session, row.id, error, left_alone_until(retry_after))
        await deliveries.postpone(session, delivery, wait, error)
    _log(delivery, "later", error)


async def pause(sessions: Sessions, row: Connection, delivery: Delivery, why: str) -> None:
    """One alarm for the connection; what waits goes on once the credentials are changed."""
    async with sessions.begin() as session:
        await deliveries.postpone(session, delivery, SOON, why)
    await pause_connection(sessions, row, why)


def _log(delivery: Delivery, status: str, error: str | None) -> None:
    log.info(
        "delivery",
        delivery_id=str(delivery.id),
        tenant_id=delivery.tenant_id,
        connection=delivery.connection_id,
        kind=delivery.kind,
        status=status,
        attempt=delivery.attempts,
        error=error,
    )
