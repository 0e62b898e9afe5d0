"""Periodic pruning: small batches, by one worker at a time, without blocking any other work."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.availability import DATABASE_ERRORS, end_if_cancelled, is_unavailable, wait_out
from app.db.core.connections import Sessions
from app.db.runs import retention
from app.db.tenants.queries import current_policy
from app.log import get_logger
from graphs.policy_limits import Retention

log = get_logger(__name__)

Prune = Callable[[AsyncSession, str, int, int], Awaitable[int]]

RUNS, STEPS, EVENTS = 100, 1000, 1000
TENANTS = 100
# Pause between two batches, which bounds the database's load by pruning.
PAUSE_SECONDS = 0.05


def rules(kept: Retention) -> list[tuple[str, Prune, int, int]]:
    """The pruning rules: name, statement, days and batch size. A new table is added here."""
    return [
        ("checkpoints", retention.prune_checkpoints, kept.checkpoints_days, RUNS),
        ("events", retention.delete_events, kept.events_days, EVENTS),
        ("callbacks", retention.delete_callbacks, kept.events_days, EVENTS),
        ("inbox", retention.delete_inbox, kept.events_days, EVENTS),
        ("deliveries", retention.delete_deliveries, kept.steps_days, STEPS),
        ("trace_notes", retention.delete_trace_notes, kept.steps_days, STEPS),
        ("webhook_secrets", retention.delete_secrets, kept.events_days, EVENTS),
        ("steps", retention.delete_steps, kept.steps_days, STEPS),
        ("model_calls", retention.delete_model_calls, kept.steps_days, STEPS),
        ("hourly_figures", retention.delete_figures, kept.steps_days, STEPS),
    ]


async def prune_regularly(sessions: Sessions, every_seconds: float) -> None:
    """Prune each `every_seconds` until cancelled; an outage is waited out."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await prune(sessions)
        except DATABASE_ERRORS as error:
            await wait_out(error, "retention", 0)


async def prune(sessions: Sessions) -> dict[str, int]:
    """Prune every tenant by its own policy, unless another worker does; counts by name.

    Raises:
        DATABASE_ERRORS: the database is unavailable.
    """
    total: dict[str, int] = {}
    last = ""
    while True:
        async with sessions() as session:
            tenants = await retention.tenants_after(session, last, TENANTS)
        if not tenants:
            break
        for tenant in tenants:
            await _try(sessions, tenant, total)
        last = tenants[-1]
    if any(total.values()):
        log.info("retention_pruned", **total)
    return total


async def _try(sessions: Sessions, tenant: str, total: dict[str, int]) -> None:
    """Prune one tenant; a policy or a row of it that fails is logged, and the others go on."""
    try:
        await _prune(sessions, tenant, total)
    except Exception as error:
        end_if_cancelled()
        if is_unavailable(error):
            raise
        log.exception("retention_failed", tenant_id=tenant, error=error)


async def _prune(sessions: Sessions, tenant: str, total: dict[str, int]) -> None:
    async with sessions() as session:
        _, policy = await current_policy(session, tenant)
    kept = Retention.model_validate(policy.get("retention", {}))
    for name, prune, days, batch in rules(kept):
        while True:
            async with sessions.begin() as session:
                if not await retention.alone(session):
                    return
                count = await prune(session, tenant, days, batch)
            total[name] = total.get(name, 0) + count
            if count < batch:
                break
            await asyncio.sleep(PAUSE_SECONDS)
