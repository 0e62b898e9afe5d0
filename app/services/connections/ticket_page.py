"""Where people see a ticket in their helpdesk, which the console leads to."""

from typing import NamedTuple

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.connectors.catalog import CONNECTORS
from app.connectors.connector import DeskFields
from app.db.connections.queries import get_connection
from app.services.connections.tickets import connection_of, desk_ticket_id


class TicketPage(NamedTuple):
    """The ticket's page at its desk, and what the tenant calls that connection."""

    desk: str
    url: str


async def ticket_page(session: AsyncSession, tenant_id: str, ticket_id: str) -> TicketPage | None:
    """The page of a ticket; None for one of the API, and for a desk that is gone or has none."""
    connection_id = connection_of(ticket_id)
    row = connection_id and await get_connection(session, tenant_id, connection_id)
    if not row:
        return None
    try:
        settings = CONNECTORS[row.kind].settings.model_validate(row.settings)
    except (KeyError, ValidationError):
        return None
    url = (
        settings.ticket_page(desk_ticket_id(ticket_id)) if isinstance(settings, DeskFields) else ""
    )
    return TicketPage(row.name, url) if url else None
