"""Rolls every tenant's figures up, hour by hour, by one worker at a time."""

import asyncio
from datetime import UTC, datetime

from app.db.core.availability import DATABASE_ERRORS, end_if_cancelled, is_unavailable, wait_out
from app.db.core.connections import Sessions
from app.db.figures import rollup
from app.db.figures.facts import ROLLED_UP, Subject
from app.db.runs.retention import tenants_after
from app.log import get_logger

log = get_logger(__name__)

ROLL_UP_SECONDS = 300.0
TENANTS = 100


async def roll_up_regularly(sessions: Sessions) -> None:
    """Roll up each ROLL_UP_SECONDS until cancelled; an outage is waited out."""
    while True:
        await asyncio.sleep(ROLL_UP_SECONDS)
        try:
            await roll_up(sessions)
        except DATABASE_ERRORS as error:
            await wait_out(error, "figures", 0)


async def roll_up(sessions: Sessions) -> int:
    """Roll up what has settled, of every tenant; how many hours. Another worker is left alone."""
    hours, last = 0, ""
    while True:
        async with sessions() as session:
            tenants = await tenants_after(session, last, TENANTS)
        if not tenants:
            return hours
        for tenant in tenants:
            for subject in ROLLED_UP:
                hours += await _try(sessions, tenant, subject)
        last = tenants[-1]


async def _try(sessions: Sessions, tenant: str, subject: Subject) -> int:
    """Roll up one subject of a tenant; a failure is logged, and the others go on."""
    hours = 0
    try:
        while True:
            async with sessions.begin() as session:
                if not await rollup.alone(session):
                    return hours
                done = await rollup.roll_up(session, tenant, subject, datetime.now(UTC))
            if not done:
                return hours
            hours += done
    except Exception as error:
        end_if_cancelled()
        if is_unavailable(error):
            raise
        log.exception("rollup_failed", tenant_id=tenant, subject=subject, error=error)
        return hours
