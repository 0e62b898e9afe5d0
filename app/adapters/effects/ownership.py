"""The fence in front of every effect: only a run's owner may begin one, and only if not paused."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.effects.ledger import owns_run
from app.db.tenants import pauses
from tools.errors import EffectsPausedError, RunLostError
from tools.ports import Caller


async def pass_fence(session: AsyncSession, caller: Caller) -> None:
    """Hold run and pause switch as they are until what is about to begin is written down.

    Raises:
        EffectsPausedError: the tenant is paused.
        RunLostError: the run was cancelled, or is no longer this attempt's.
    """
    await pauses.lock_pause_shared(session, caller.tenant_id)
    if await owns_run(session, caller.run_id, caller.attempt):
        return
    if await pauses.is_paused(session, caller.tenant_id):
        raise EffectsPausedError(f"replies and effects of {caller.tenant_id} are paused")
    raise RunLostError(f"run {caller.run_id} is no longer this worker's")
