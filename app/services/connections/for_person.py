"""Opens a hand-off for what went wrong after a run had ended, or before one could start."""

from hashlib import sha256
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.connections import deliveries
from app.db.effects import handoffs
from app.services.connections.tickets import connection_of

MAX_SUMMARY = 20_000


def again(key: str, news: str) -> str:
    """The key under which a desk gets a hand-off that it had before, for its news."""
    return f"{key}#{sha256(news.encode()).hexdigest()[:16]}"


def handoff_key(key: str) -> str:
    """The hand-off's own key, of one under which a desk gets it."""
    return key.partition("#")[0]


def run_of_handoff(key: str) -> UUID | None:
    """The run that a hand-off's key names; None for a ticket that no run was about."""
    try:
        return UUID(handoff_key(key).split(":")[1])
    except ValueError:
        return None


def without_run(ticket_id: str) -> str:
    """What stands in the place of a run in the key of a hand-off that no run opened."""
    return f"ticket-{sha256(ticket_id.encode()).hexdigest()[:16]}"


async def open_for_person(
    session: AsyncSession,
    tenant_id: str,
    ticket_id: str,
    run_id: str,
    summary: str,
    skill: str = "general",
) -> None:
    """Open a hand-off of the ticket for what went wrong after its run, and inform its desk.

    `run_id` may be `without_run(ticket_id)`.

    One that was opened before holds the news first, and goes to its desk once more.
    """
    await handoffs.lock_desk(session, tenant_id)
    news, key = summary[:MAX_SUMMARY], f"handoff:{run_id}"
    row = await handoffs.open_handoff(session, tenant_id, ticket_id, skill, "high", news, key)
    key = row.key if row.summary == news else again(row.key, news)
    if row.status == "closed":
        # The run had one, which a person closed: this is news for them.
        row.status, row.closed_at, row.summary = "open", None, news
        row.held_since = func.now()
    elif news not in row.summary:
        row.summary = f"{news}\n\n{row.summary}"[:MAX_SUMMARY]
    if (connection_id := connection_of(ticket_id)) is not None:
        await deliveries.add(
            session,
            tenant_id=tenant_id,
            connection_id=connection_id,
            ticket_id=ticket_id,
            kind="handoff",
            key=key,
        )
