"""Which runs cited an article in their reply."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.runs import Message, Run

# So many of the tenant's newest runs are looked through, so that a rare article takes no longer.
LOOKED_THROUGH = 5000


class Citing(NamedTuple):
    """A run that cited the article, and its ticket."""

    run_id: UUID
    ticket_id: str


async def citing_runs(
    session: AsyncSession, tenant_id: str, article_id: str, limit: int
) -> list[Citing]:
    """The newest runs whose reply cites the article, newest first, among LOOKED_THROUGH runs."""
    newest = (
        select(Run.id, Run.ticket_id)
        .where(Run.tenant_id == tenant_id)
        .order_by(Run.id.desc())
        .limit(LOOKED_THROUGH)
        .subquery()
    )
    cites = (
        select(Message.id)
        .where(
            Message.run_id == newest.c.id,
            Message.tenant_id == tenant_id,
            literal(article_id) == func.any(Message.citations),
        )
        .exists()
    )
    query = select(newest).where(cites).order_by(newest.c.id.desc()).limit(limit)
    return [Citing(*row) for row in await session.execute(query)]
