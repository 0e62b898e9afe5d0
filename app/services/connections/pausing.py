"""Use case: stop using a connection that no longer works, with one alarm for all that waits."""

from app.db.connections import queries
from app.db.core.connections import Sessions
from app.log import get_logger

log = get_logger(__name__)


async def pause_connection(
    sessions: Sessions, connection_id: str, tenant_id: str, why: str
) -> None:
    """Send nothing there until it is changed. `why` is ours, and names no secret."""
    async with sessions.begin() as session:
        first = await queries.pause(session, connection_id, why)
    if first:
        log.error("connection_paused", connection=connection_id, tenant_id=tenant_id, why=why)
