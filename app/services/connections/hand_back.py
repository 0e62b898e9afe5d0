"""Use case: a person hands a ticket back over our API. It never commits."""

import time

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.connections import inbox, queries
from app.services.connections.tickets import connection_of, desk_ticket_id, is_name
from app.services.conversations.takeover import give_back


async def hand_back_ticket(session: AsyncSession, tenant_id: str, ticket_id: str) -> bool:
    """Let the bot have the ticket, as a person asks over our API; answers as `give_back` does.

    A hook of its desk that comes late, about a person who wrote before, takes it away no more.
    """
    given = await give_back(session, tenant_id, ticket_id)
    await _keep(session, tenant_id, ticket_id)
    return given


async def _keep(session: AsyncSession, tenant_id: str, ticket_id: str) -> None:
    """Write down that a desk's ticket was handed back over our API, with the time."""
    connection_id = connection_of(ticket_id)
    row = connection_id and await queries.get_connection(session, tenant_id, connection_id)
    # A caller may ask for any name.
    if not row or not is_name(ticket_id):
        return
    event = {"kind": "handback", "ticket_id": desk_ticket_id(ticket_id), "our_time": time.time()}
    await inbox.keep(
        session, tenant_id=tenant_id, connection_id=row.id, delivery_id=f"api {uuid7()}",
        message_id=None, event=event, status="done", note="handed back over the API",
    )  # fmt: skip
