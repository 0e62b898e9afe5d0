"""Use cases of the pause switch: no reply and no effect leaves while it is on. No commit."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import pauses, runs
from app.db.keys import tenant_exists
from app.db.pauses import EVERYONE
from app.db.turns import waits
from app.errors import NotFoundError
from app.log import get_logger
from app.runs import Enqueue

log = get_logger(__name__)


async def pause(session: AsyncSession, tenant_id: str, by: str) -> None:
    """From the commit on, no effect of the tenant, or of `EVERYONE`, begins.

    Waits for effects that are just being written down as begun. Pausing again changes nothing.

    Raises:
        NotFoundError: there is no such tenant.
    """
    await _refuse_unknown(session, tenant_id)
    await pauses.hold_alone(session, tenant_id)
    await pauses.write_pause(session, tenant_id, by)
    log.warning("paused", tenant_id=tenant_id, by=by)


async def unpause(session: AsyncSession, enqueue: Enqueue, tenant_id: str) -> int:
    """Let effects begin again and queue the runs that waited; how many there were.

    Who is paused by the other switch too stays so.

    Raises:
        NotFoundError: there is no such tenant.
    """
    await _refuse_unknown(session, tenant_id)
    await pauses.hold_alone(session, tenant_id)
    if not await pauses.remove_pause(session, tenant_id):
        return 0
    waiting = list(await session.scalars(pauses.due_runs(tenant_id).where(~waits())))
    for run in waiting:
        await runs.mark_queued(session, run.id)
        await enqueue(session, run.id, None)
    log.warning("unpaused", tenant_id=tenant_id, runs=len(waiting))
    return len(waiting)


async def _refuse_unknown(session: AsyncSession, tenant_id: str) -> None:
    if tenant_id != EVERYONE and not await tenant_exists(session, tenant_id):
        raise NotFoundError(f"There is no tenant {tenant_id!r}.")
