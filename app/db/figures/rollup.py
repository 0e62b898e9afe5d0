"""Rolls figures up by the hour. Any hour may be rolled up again: its rows replace those before."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.figures.facts import FACTS, SUMS, Subject
from app.db.figures.queries import HOUR, rolled_up_to, whole_hour
from app.db.tables.figures import FiguresRolledUp

# Any fixed number: only the worker that holds this lock rolls up.
ROLLUP_LOCK = 4_872_301_557
# After its end an hour may still get rows for as long as a transaction, or an outage, lasts.
SETTLED_AFTER = timedelta(minutes=15)
# The longest window of the statistics, twice.
LONGEST = timedelta(days=60)
HOURS_AT_ONCE = 24 * 7
DELETE_HOURS = """
DELETE FROM hourly_figures WHERE tenant_id = :tenant AND subject = :subject
    AND hour >= :since AND hour < :until"""
OLDEST_RUNNING_STEP = """
SELECT min(started_at) FROM steps
WHERE tenant_id = :tenant AND started_at >= :since AND started_at < :until AND status = 'running'"""


async def alone(session: AsyncSession) -> bool:
    """Whether this is the only worker that rolls up until the transaction ends. Never waits."""
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(ROLLUP_LOCK))))


async def roll_up(session: AsyncSession, tenant_id: str, subject: Subject, now: datetime) -> int:
    """Roll up the next hours that have settled, a week of them at most; returns how many."""
    done = await rolled_up_to(session, tenant_id, subject)
    since = max(done or now - LONGEST, whole_hour(now - LONGEST))
    since = whole_hour(since)
    until = min(whole_hour(now - SETTLED_AFTER), since + HOURS_AT_ONCE * HOUR)
    until = max(since, await _before_running_steps(session, tenant_id, subject, since, until))
    if since == until:
        return 0
    hours = {"tenant": tenant_id, "subject": subject, "since": since, "until": until}
    await session.execute(text(DELETE_HOURS), hours)
    await session.execute(text(_insert_hours(subject)), hours)
    mark = insert(FiguresRolledUp).values(tenant_id=tenant_id, subject=subject, upto=until)
    await session.execute(
        mark.on_conflict_do_update(index_elements=["tenant_id", "subject"], set_={"upto": until})
    )
    return (until - since) // HOUR


def _insert_hours(subject: Subject) -> str:
    return f"""
        INSERT INTO hourly_figures (tenant_id, subject, hour, name, part, result, count, retries,
            tokens, cost_usd, unpriced, durations, sample_run_id)
        SELECT :tenant, :subject, date_trunc('hour', at, 'UTC'), name, part, result, {SUMS}
        FROM ({FACTS[subject]}) AS facts GROUP BY 3, 4, 5, 6"""  # noqa: S608  # constants of ours


async def _before_running_steps(
    session: AsyncSession, tenant_id: str, subject: Subject, since: datetime, until: datetime
) -> datetime:
    """The end, or the hour of the oldest step that still runs: it belongs to when it began."""
    if subject != "nodes":
        return until
    values = {"tenant": tenant_id, "since": since, "until": until}
    oldest = await session.scalar(text(OLDEST_RUNNING_STEP), values)
    return until if oldest is None else whole_hour(oldest)
