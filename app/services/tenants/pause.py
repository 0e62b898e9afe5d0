"""Use cases of the pause switch, which holds back replies and effects. They never commit."""

import asyncio
import time

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.connections import Sessions
from app.db.runs.scheduling import blocked_by_thread
from app.db.tables.tenants import EVERYONE
from app.db.tenants import pauses
from app.db.tenants.queries import tenant_exists
from app.errors import NotFoundError
from app.log import get_logger
from app.services.runs.start_and_cancel import Enqueue

log = get_logger(__name__)

# An answer comes within this time, whatever an outside system does.
PATIENCE_SECONDS = 10.0
LOOK_SECONDS = 0.05


async def pause(session: AsyncSession, tenant_id: str, by: str) -> None:
    """Stop new effects of the tenant, or of `EVERYONE`, from the commit on.

    Waits for effects that are just being written down as begun. Pausing again changes nothing.

    Raises:
        NotFoundError: there is no such tenant.
    """
    await _refuse_unknown(session, tenant_id)
    await pauses.lock_pause_exclusive(session, tenant_id)
    await pauses.write_pause(session, tenant_id, by)
    log.warning("paused", tenant_id=tenant_id, by=by)


async def wait_for_in_flight_effects(
    sessions: Sessions, tenant_id: str, patience_seconds: float = PATIENCE_SECONDS
) -> int:
    """Wait, once the pause is committed, until what had begun before it has ended.

    How many effects have not ended in that time: an outside system that does not answer is not
    waited for without bound. Holds no connection while it waits.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        async with sessions() as session:
            begun = await pauses.in_flight(session, tenant_id)
        if not begun or time.monotonic() >= deadline:
            return begun
        await asyncio.sleep(LOOK_SECONDS)


async def unpause(session: AsyncSession, enqueue: Enqueue, tenant_id: str) -> int:
    """Let effects begin again and queue the runs that waited; how many there were.

    Who is paused by the other switch too stays so.

    Raises:
        NotFoundError: there is no such tenant.
    """
    await _refuse_unknown(session, tenant_id)
    await pauses.lock_pause_exclusive(session, tenant_id)
    if not await pauses.remove_pause(session, tenant_id):
        return 0
    waiting = list(await session.scalars(pauses.due_runs(tenant_id).where(~blocked_by_thread())))
    for run in waiting:
        await enqueue(session, run.id, None)
    log.warning("unpaused", tenant_id=tenant_id, runs=len(waiting))
    return len(waiting)


async def _refuse_unknown(session: AsyncSession, tenant_id: str) -> None:
    if tenant_id != EVERYONE and not await tenant_exists(session, tenant_id):
        raise NotFoundError(f"There is no tenant {tenant_id!r}.")
