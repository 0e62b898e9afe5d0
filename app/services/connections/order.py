"""Which of two facts of a ticket came later: hooks come late and out of order.

The desk's own order decides. A hand-back over our API has none, so the desk's clock is compared
with ours, with room for clocks that differ. What cannot be compared counts as new: silence is safe.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.connectors.hooks import Event
from app.db.connections import inbox
from app.db.tables.connections import Connection

# Clocks of a desk and of ours may be so far apart, in seconds.
CLOCKS_DIFFER = 60.0


async def is_before_hand_back(session: AsyncSession, row: Connection, event: Event) -> bool:
    """Whether the ticket was handed back after what this hook of a person is about."""
    known = await inbox.facts_of_ticket(session, row, event.ticket_id, "handback")
    return any(_is_before(event, back) for back in known)


async def is_taken_after(session: AsyncSession, row: Connection, event: Event) -> bool:
    """Whether a person took the ticket after this hand-back of its desk."""
    if event.order is None:
        return False
    known = await inbox.facts_of_ticket(session, row, event.ticket_id, "person")
    return any(taken.get("order", -1) > event.order for taken in known)


def _is_before(event: Event, back: Mapping[str, Any]) -> bool:
    if "our_time" in back:
        at = event.written_at
        return at is not None and at + CLOCKS_DIFFER < back["our_time"]
    return event.order is not None and event.order < back.get("order", -1)
