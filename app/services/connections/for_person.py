"""Opens a hand-off for what went wrong after a run had ended."""

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.connections import deliveries
from app.db.effects import handoffs
from app.services.connections.tickets import connection_of


async def open_for_person(
    session: AsyncSession,
    tenant_id: str,
    ticket_id: str,
    run_id: str,
    summary: str,
    skill: str = "general",
) -> None:
    """Open a hand-off of the ticket for what went wrong after its run, and tell its desk."""
    await handoffs.lock_desk(session, tenant_id)
    key = f"handoff:{run_id}"
    row = await handoffs.open_handoff(
        session, tenant_id, ticket_id, skill, "high", summary[:20_000], key
    )
    if row.status == "closed":
        # The run had one, which a person closed: this is news for them.
        row.status, row.closed_at, row.summary = "open", None, summary[:20_000]
        row.held_since = func.now()
    if (connection_id := connection_of(ticket_id)) is not None:
        await deliveries.add(
            session,
            tenant_id=tenant_id,
            connection_id=connection_id,
            ticket_id=ticket_id,
            kind="handoff",
            key=row.key,
        )
