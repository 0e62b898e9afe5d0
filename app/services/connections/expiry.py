"""Use case: an alarm before the credentials of a connection end."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.connections import queries
from app.db.tables.connections import Connection
from app.log import get_logger

log = get_logger(__name__)

# So long before the end people hear of it.
WARN_BEFORE = timedelta(days=7)


def expires_soon(row: Connection) -> bool:
    """Whether the credentials end within a week, or have ended."""
    return row.expires_at is not None and row.expires_at < datetime.now(UTC) + WARN_BEFORE


async def warn(session: AsyncSession, limit: int) -> None:
    """Say once in the log of each connection whose credentials end soon."""
    for row in await queries.warn_of_expiry(session, WARN_BEFORE, limit):
        assert row.expires_at is not None, "it was asked for"
        log.error(
            "connection_expires",
            connection=row.id,
            tenant_id=row.tenant_id,
            at=row.expires_at.isoformat(),
        )
