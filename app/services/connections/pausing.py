"""Use case: stop using a connection that no longer works, with one alarm for all that waits."""

from app.db.connections import queries
from app.db.core.connections import Sessions
from app.db.tables.connections import Connection
from app.log import get_logger

log = get_logger(__name__)


async def pause_connection(sessions: Sessions, row: Connection, why: str) -> None:
    """Send nothing there until it is changed. `why` is ours, and names no secret.

    A call that began before a change may be refused after it: that pauses nothing.
    """
    async with sessions.begin() as session:
        first = await queries.pause(session, row, why)
    if first:
        log.error("connection_paused", connection=row.id, tenant_id=row.tenant_id, why=why)
