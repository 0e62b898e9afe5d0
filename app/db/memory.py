"""Queries on what was said before: of one customer, within one tenant, always a bounded number."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.db.customers import ThreadSummary
from app.db.effects import LedgerEntry
from app.db.tables import Message, Run

# How many of the customer's newest runs are looked through for other tickets.
LOOK_BACK_RUNS = 200
Said = Row[int, str, str]


async def hold_off_erasure(session: AsyncSession, tenant_id: str, customer_id: str) -> None:
    """Wait for an erasure of the customer, and let none begin until the transaction ends."""
    await session.execute(
        select(func.pg_advisory_xact_lock_shared(_erasure_lock(tenant_id, customer_id)))
    )


async def hold_customer(session: AsyncSession, tenant_id: str, customer_id: str) -> None:
    """Let no run read what it knows of the customer until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(_erasure_lock(tenant_id, customer_id))))


def _erasure_lock(tenant_id: str, customer_id: str) -> Any:
    return func.hashtextextended(f"erasure\x1f{tenant_id}\x1f{customer_id}", 0)


async def summary_of(session: AsyncSession, run: Run) -> ThreadSummary | None:
    """The running summary of the run's ticket."""
    key = (run.tenant_id, run.ticket_id, run.customer_id)
    return await session.get(ThreadSummary, key)


async def said_before(
    session: AsyncSession, run: Run, after_seq: int, exchanges: int
) -> list[Said]:
    """`seq`, author and text of the public messages of the newest runs before this one.

    By run, so that a reply stands after its question although a newer question came in between;
    a message that was merged into another run stands with that run's.
    """
    into = aliased(Run)
    newest = (
        select(Run.id, Run.seq, func.coalesce(into.seq, Run.seq).label("place"))
        .outerjoin(into, into.id == Run.merged_into)
        .where(
            Run.tenant_id == run.tenant_id,
            Run.thread_id == run.thread_id,
            Run.customer_id == run.customer_id,
            Run.seq > after_seq,
            Run.seq < run.seq,
        )
        .order_by(Run.seq.desc())
        .limit(exchanges)
        .subquery()
    )
    query = (
        select(newest.c.seq, Message.author, Message.text)
        .join(newest, Message.run_id == newest.c.id)
        .where(Message.tenant_id == run.tenant_id, Message.public)
        .order_by(newest.c.place, Message.id)
    )
    return list(await session.execute(query))


async def other_tickets(session: AsyncSession, run: Run, limit: int) -> list[Row[Any]]:
    """The newest run of each of the customer's newest other tickets, newest first."""
    recent = (
        select(Run.id, Run.ticket_id)
        .where(
            Run.tenant_id == run.tenant_id,
            Run.customer_id == run.customer_id,
            Run.ticket_id != run.ticket_id,
            Run.replay_of.is_(None),
        )
        .order_by(Run.id.desc())
        .limit(LOOK_BACK_RUNS)
        .subquery()
    )
    newest = (
        select(recent.c.id)
        .ext(distinct_on(recent.c.ticket_id))
        .order_by(recent.c.ticket_id, recent.c.id.desc())
    )
    query = (
        select(
            Run.ticket_id,
            Run.outcome,
            Run.status,
            Run.created_at,
            func.left(func.jsonb_extract_path_text(Run.ticket, "subject"), 500).label("subject"),
            func.jsonb_extract_path(Run.summary, "handoff").label("handoff"),
        )
        .where(Run.tenant_id == run.tenant_id, Run.id.in_(newest))
        .order_by(Run.id.desc())
        .limit(limit)
    )
    return list(await session.execute(query))


async def effects_on_tickets(
    session: AsyncSession, run: Run, ticket_ids: Iterable[str], limit: int
) -> list[tuple[str, LedgerEntry]]:
    """What was done for the customer on these tickets beside replies, newest first."""
    query = (
        select(Run.ticket_id, LedgerEntry)
        .join(Run, Run.id == LedgerEntry.run_id)
        .where(
            LedgerEntry.tenant_id == run.tenant_id,
            LedgerEntry.customer_id == run.customer_id,
            LedgerEntry.status == "done",
            # Of hand-offs those that a plan held: the run's own tells the one that ended it.
            LedgerEntry.tool != "send_reply",
            or_(LedgerEntry.tool != "create_handoff", LedgerEntry.step_id.is_not(None)),
            Run.ticket_id.in_(ticket_ids),
        )
        .order_by(LedgerEntry.started_at.desc())
        .limit(limit)
    )
    return [(ticket_id, entry) for ticket_id, entry in await session.execute(query)]


async def run_by_id(session: AsyncSession, run_id: UUID) -> Run | None:
    """A run of a job, whoever's it is; everything after it names its tenant and customer."""
    return await session.get(Run, run_id)
