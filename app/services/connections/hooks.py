"""Use case: take a hook. Its signature is checked, its fact is kept once, and a person is heeded
at once; everything else a worker does later."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.connectors.connector import Connector, Opened
from app.connectors.errors import ForgedHookError, MalformedHookError
from app.connectors.hooks import Event
from app.connectors.http import HttpClient
from app.db.connections import inbox, queries
from app.db.core.compiled import Executor
from app.db.core.connections import Sessions
from app.db.effects import takeovers
from app.db.tables.connections import Connection
from app.errors import BodyError, HookNotSignedError, NotFoundError
from app.formats.strict_json import StrictJsonError, parse_json
from app.log import get_logger
from app.services.connections.encryption import Vault
from app.services.connections.manage import connector_of, open_connection
from app.services.connections.order import is_before_hand_back
from app.services.connections.tickets import ticket_id_problem, ticket_name
from app.services.conversations import takeover

log = get_logger(__name__)

MAX_DELIVERY_ID = 255
# Facts that a worker has to look at the ticket for.
READ_LATER = ("message", "handback", "failed", "refund")


async def receiver(executor: Executor, connection_id: str) -> Connection:
    """The connection whose address was called. Raises NotFoundError: none that takes hooks."""
    row = await queries.live_connection(executor, connection_id)
    if row is None or connector_of(row.kind).verify is None:
        raise NotFoundError("There is no connection at this address that takes hooks.")
    return row


def read_hook(
    row: Connection, vault: Vault, http: HttpClient, headers: Mapping[str, str], body: bytes
) -> tuple[str, Event]:
    """The delivery's id and what it says; nothing is stored.

    Raises:
        HookNotSignedError, BodyError, EncryptionError.
    """
    opened, connector = open_connection(row, vault, http), connector_of(row.kind)
    delivery_id = _verified(connector, opened, headers, body)
    try:
        assert connector.read_hook is not None, "what verifies hooks reads them"
        event = connector.read_hook(opened, parse_json(body))
    except (StrictJsonError, MalformedHookError) as error:
        raise BodyError(str(error)) from None
    if len(delivery_id) > MAX_DELIVERY_ID:
        raise BodyError("The delivery's id is too long.")
    if problem := ticket_id_problem(event.ticket_id):
        raise BodyError(problem)
    return delivery_id, event


def _verified(connector: Connector, opened: Opened, headers: Mapping[str, str], body: bytes) -> str:
    assert connector.verify is not None, "only such connections receive"
    try:
        return connector.verify(headers, body, opened.secrets)
    except ForgedHookError as error:
        raise HookNotSignedError(f"{error}.") from None
    except MalformedHookError as error:
        # Signed, with a body that does not name its delivery.
        raise BodyError(f"{error}.") from None


async def take_event(sessions: Sessions, row: Connection, delivery_id: str, event: Event) -> bool:
    """Keep the event for good; by one statement, unless a person has the ticket.

    False for a delivery, or a message, that came before.
    """
    if event.kind == "person":
        async with sessions.begin() as session:
            return await keep_event(session, row, delivery_id, event)
    async with sessions.raw_connection() as connection:
        return await _keep_fact(connection, row, delivery_id, event)


async def keep_event(
    session: AsyncSession, row: Connection, delivery_id: str, event: Event
) -> bool:
    """Store the fact, and silence the bot at once where a person has the ticket.

    False for a delivery, or a message, that came before.
    """
    if not await _keep_fact(session, row, delivery_id, event):
        return False
    if event.kind == "person":
        await _give_to_person(session, row, event)
    return True


async def _keep_fact(executor: Executor, row: Connection, delivery_id: str, event: Event) -> bool:
    new = await inbox.keep_hook(
        executor,
        tenant_id=row.tenant_id,
        connection_id=row.id,
        delivery_id=delivery_id,
        message_id=event.message_id,
        event=_stored(event),
        status="new" if event.kind in READ_LATER else "done",
        note=event.why,
    )
    if new:
        log.info("hook_taken", connection=row.id, tenant_id=row.tenant_id, kind=event.kind)
    return new


async def _give_to_person(session: AsyncSession, row: Connection, event: Event) -> None:
    """Silence the bot, unless the ticket was handed back after what the hook is about."""
    ticket_id = ticket_name(row.id, event.ticket_id)
    # With the thread's lock: a hand-back waits for it, or is seen here.
    await takeovers.lock_thread(session, row.tenant_id, ticket_id)
    if await is_before_hand_back(session, row, event):
        log.info("hook_is_old", connection=row.id, tenant_id=row.tenant_id)
        return
    who = event.who or "a person"
    await takeover.take_over(session, row.tenant_id, ticket_id, who[:200])


def _stored(event: Event) -> dict[str, Any]:
    known = {name: value for name, value in asdict(event).items() if value is not None}
    if event.kind != "person":
        # A customer's address, which an erasure would have to find here.
        known.pop("who", None)
    return known | {"at": datetime.now(UTC).isoformat()}
