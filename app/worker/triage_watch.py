"""Warns when a tenant's trained triage is right less often than it was measured to be."""

import asyncio

from app.db.core.availability import DATABASE_ERRORS, wait_out
from app.db.core.connections import Sessions
from app.db.tenants.triage_models import tenants_with_a_model
from app.log import get_logger
from app.services.tenants.triage_watch import note

log = get_logger(__name__)

WATCH_SECONDS = 600.0


async def watch_regularly(sessions: Sessions) -> None:
    """Look at every model each WATCH_SECONDS until cancelled; an outage is waited out."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            await watch(sessions)
        except DATABASE_ERRORS as error:
            await wait_out(error, "triage_watch", 0)


async def watch(sessions: Sessions) -> list[str]:
    """Look at the model of each tenant; those whose model has dropped since the last look."""
    dropped = []
    async with sessions() as session:
        tenants = await tenants_with_a_model(session)
    for tenant_id in tenants:
        async with sessions.begin() as session:
            seen = await note(session, tenant_id)
        if seen is not None:
            log.warning("trained_triage_dropped", tenant_id=tenant_id, **seen.shown())
            dropped.append(tenant_id)
    return dropped
