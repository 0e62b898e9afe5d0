"""Deletes expired data in batches: events, steps and older checkpoints of finished runs, ended
callbacks, and expired signing secrets.

No statement waits for a writer: locked rows are skipped. The newest checkpoint of a thread stays
with its blobs, since the first checkpoint of a later run is made from it.
"""

from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.tenants import Tenant

# Any fixed number: only the worker that holds this lock prunes.
RETENTION_LOCK = 4_872_301_556

DELETE_CHECKPOINTS = """
    WITH due AS (
        SELECT id, thread_id::text AS thread FROM runs
        WHERE tenant_id = :tenant AND checkpoints_pruned_at IS NULL
            AND finished_at < now() - make_interval(days => :days)
        ORDER BY finished_at LIMIT :batch FOR UPDATE SKIP LOCKED),
    newest AS (
        SELECT thread_id, max(checkpoint_id) AS id FROM checkpoints
        WHERE checkpoint_ns = '' AND thread_id IN (SELECT thread FROM due) GROUP BY thread_id),
    gone AS (
        DELETE FROM checkpoints c USING due, newest
        WHERE c.thread_id = due.thread AND newest.thread_id = c.thread_id
            AND c.metadata ->> 'run_id' = due.id::text AND c.checkpoint_id < newest.id
        RETURNING c.thread_id, c.checkpoint_ns, c.checkpoint_id),
    writes AS (
        DELETE FROM checkpoint_writes w USING gone
        WHERE w.thread_id = gone.thread_id AND w.checkpoint_ns = gone.checkpoint_ns
            AND w.checkpoint_id = gone.checkpoint_id)
    UPDATE runs SET checkpoints_pruned_at = now() FROM due WHERE runs.id = due.id
    RETURNING due.thread"""
# After the checkpoints: deletes blobs that no remaining one refers to.
DELETE_BLOBS = """
    DELETE FROM checkpoint_blobs b WHERE b.thread_id = ANY(:threads) AND NOT EXISTS (
        SELECT FROM checkpoints c
        WHERE c.thread_id = b.thread_id AND c.checkpoint_ns = b.checkpoint_ns
            AND c.checkpoint -> 'channel_versions' ->> b.channel = b.version)"""
DELETE_STEPS = """
    DELETE FROM steps WHERE (run_id, attempt, task_id) IN (
        SELECT s.run_id, s.attempt, s.task_id FROM steps s JOIN runs r ON r.id = s.run_id
        WHERE s.tenant_id = :tenant AND s.started_at < now() - make_interval(days => :days)
            AND r.finished_at < now() - make_interval(days => :days)
        ORDER BY s.started_at LIMIT :batch FOR UPDATE OF s SKIP LOCKED)"""
DELETE_MODEL_CALLS = """
    DELETE FROM model_calls WHERE id IN (
        SELECT c.id FROM model_calls c JOIN runs r ON r.id = c.run_id
        WHERE c.tenant_id = :tenant AND c.started_at < now() - make_interval(days => :days)
            AND r.finished_at < now() - make_interval(days => :days)
        ORDER BY c.started_at LIMIT :batch FOR UPDATE OF c SKIP LOCKED)"""
DELETE_FIGURES = """
    DELETE FROM hourly_figures WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM hourly_figures
        WHERE tenant_id = :tenant AND hour < now() - make_interval(days => :days)
        LIMIT :batch FOR UPDATE SKIP LOCKED))"""
# Reads the oldest batch before it checks their age, so that a look with nothing due is cheap.
DELETE_EVENTS = """
    WITH oldest AS (
        SELECT txid, seq, created_at FROM events
        WHERE tenant_id = :tenant ORDER BY txid, seq LIMIT :batch)
    DELETE FROM events e USING oldest o
    WHERE e.txid = o.txid AND e.seq = o.seq
        AND o.created_at < now() - make_interval(days => :days)"""

DELETE_INBOX = """
    DELETE FROM inbox WHERE id IN (
        SELECT id FROM inbox WHERE tenant_id = :tenant AND status <> 'new'
            AND received_at < now() - make_interval(days => :days)
        ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED)"""
DELETE_DELIVERIES = """
    DELETE FROM deliveries WHERE id IN (
        SELECT id FROM deliveries WHERE tenant_id = :tenant AND status <> 'pending'
            AND ended_at < now() - make_interval(days => :days)
        ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED)"""
# Only of finished runs: an unfinished one numbers its next event from the rows that exist.
DELETE_CALLBACKS = """
    DELETE FROM callbacks WHERE id IN (
        SELECT c.id FROM callbacks c LEFT JOIN runs r ON r.id = c.run_id
        WHERE c.tenant_id = :tenant AND c.status <> 'pending'
            AND c.next_at < now() - make_interval(days => :days)
            AND (c.run_id IS NULL OR r.finished_at < now() - make_interval(days => :days))
        ORDER BY c.next_at LIMIT :batch FOR UPDATE OF c SKIP LOCKED)"""
# Also such as were never sent, since no worker has a key of LangSmith's any more.
DELETE_TRACE_NOTES = """
    DELETE FROM trace_notes WHERE id IN (
        SELECT id FROM trace_notes
        WHERE tenant_id = :tenant AND created_at < now() - make_interval(days => :days)
        ORDER BY created_at LIMIT :batch FOR UPDATE SKIP LOCKED)"""
DELETE_SECRETS = """
    DELETE FROM webhook_secrets WHERE id IN (
        SELECT id FROM webhook_secrets
        WHERE tenant_id = :tenant AND expires_at < now() - make_interval(days => :days)
        ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED)"""


async def alone(session: AsyncSession) -> bool:
    """Whether this is the only worker that prunes until the transaction ends. Never waits."""
    return bool(await session.scalar(select(func.pg_try_advisory_xact_lock(RETENTION_LOCK))))


async def tenants_after(session: AsyncSession, last: str, limit: int) -> list[str]:
    """The next tenants by id."""
    query = select(Tenant.id).where(Tenant.id > last).order_by(Tenant.id).limit(limit)
    return list(await session.scalars(query))


async def prune_checkpoints(session: AsyncSession, tenant: str, days: int, batch: int) -> int:
    """Delete older checkpoints of the oldest due runs; returns the number of runs."""
    values: dict[str, Any] = {"tenant": tenant, "days": days, "batch": batch}
    threads = list(await session.scalars(text(DELETE_CHECKPOINTS), values))
    if threads:
        await session.execute(text(DELETE_BLOBS), {"threads": sorted(set(threads))})
    return len(threads)


async def delete_steps(session: AsyncSession, tenant: str, days: int, batch: int) -> int:
    """Delete the oldest steps of finished runs; returns their number."""
    return await _delete(session, DELETE_STEPS, tenant, days, batch)


async def delete_model_calls(session: AsyncSession, tenant: str, days: int, batch: int) -> int:
    """Delete the oldest model calls of finished runs; returns their number."""
    return await _delete(session, DELETE_MODEL_CALLS, tenant, days, batch)


async def delete_figures(session: AsyncSession, tenant: str, days: int, batch: int) -> int:
    """Delete figures of hours so long ago; returns their number."""
    return await _delete(session, DELETE_FIGURES, tenant, days, batch)


async def delete_events(session: AsyncSession, tenant: str, days: int, batch: int) -> int:
    """Delete the oldest events, also of unfinished runs; returns their number."""
    return await _delete(session, DELETE_EVENTS, tenant, days, batch)


async def delete_callbacks(session: AsyncSession, tenant: str, days: int, batch: int) -> int:
    """Delete the delivered and dead callbacks of finished runs; how many there were."""
    return await _delete(session, DELETE_CALLBACKS, tenant, days, batch)


async def delete_inbox(session: AsyncSession, tenant: str, days: int, batch: int) -> int:
    """Delete what hooks said and was acted on or given up; returns the number."""
    return await _delete(session, DELETE_INBOX, tenant, days, batch)


async def delete_deliveries(session: AsyncSession, tenant: str, days: int, batch: int) -> int:
    """Delete deliveries that ended so long ago; returns their number."""
    return await _delete(session, DELETE_DELIVERIES, tenant, days, batch)


async def delete_trace_notes(session: AsyncSession, tenant: str, days: int, batch: int) -> int:
    """Delete notes on traces that are so old; returns their number."""
    return await _delete(session, DELETE_TRACE_NOTES, tenant, days, batch)


async def delete_secrets(session: AsyncSession, tenant: str, days: int, batch: int) -> int:
    """Delete secrets that expired so long ago; returns their number."""
    return await _delete(session, DELETE_SECRETS, tenant, days, batch)


async def _delete(session: AsyncSession, statement: str, tenant: str, days: int, batch: int) -> int:
    values = {"tenant": tenant, "days": days, "batch": batch}
    result: Any = await session.execute(text(statement), values)
    return int(result.rowcount)
