"""Queries on a customer's earlier conversations: within one tenant, always a bounded number."""

from collections.abc import Iterable
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.db.core import advisory_locks
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.conversations import ConversationSummary
from app.db.tables.runs import Message, Run
from tools.catalog import names_of

# How many of the customer's newest runs are looked through for other tickets.
LOOK_BACK_RUNS = 200
Said = Row[int, str, str]


def _whose(run: Run) -> dict[str, Any]:
    return {"tenant": run.tenant_id, "customer": run.customer_id}


def _of_customer() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (Run.tenant_id == bindparam("tenant"), Run.customer_id == bindparam("customer"))


@cache
def _select_wrote_before() -> Select[bool, bool]:
    older = select(Run.id).where(*_of_customer(), Run.seq < bindparam("before"))
    here = older.where(Run.thread_id == bindparam("thread")).exists()
    elsewhere = older.where(Run.thread_id != bindparam("thread")).exists()
    return select(here, elsewhere)


async def hold_off_erasure(session: AsyncSession, tenant_id: str, customer_id: str) -> None:
    """Wait for an erasure of the customer, and block new ones until the transaction ends."""
    await advisory_locks.hold(session, advisory_locks.shared("erasure", tenant_id, customer_id))


async def wrote_before(session: AsyncSession, run: Run) -> tuple[bool, bool]:
    """Whether the customer has older runs, of this ticket and of others."""
    asked = {**_whose(run), "before": run.seq, "thread": run.thread_id}
    here, elsewhere = (await session.execute(_select_wrote_before(), asked)).one()
    return here, elsewhere


async def hold_customer(session: AsyncSession, tenant_id: str, customer_id: str) -> None:
    """Block runs that read the customer's conversations until the transaction ends."""
    await advisory_locks.hold(session, advisory_locks.exclusive("erasure", tenant_id, customer_id))


async def summary_of(session: AsyncSession, run: Run) -> ConversationSummary | None:
    """The running summary of the run's ticket."""
    key = (run.tenant_id, run.ticket_id, run.customer_id)
    return await session.get(ConversationSummary, key)


@cache
def _select_said_before() -> Select[Any]:
    into = aliased(Run)
    newest = (
        select(Run.id, Run.seq, func.coalesce(into.seq, Run.seq).label("place"))
        .outerjoin(into, into.id == Run.merged_into)
        .where(
            *_of_customer(),
            Run.thread_id == bindparam("thread"),
            Run.seq > bindparam("after"),
            Run.seq < bindparam("before"),
        )
        .order_by(Run.seq.desc())
        .limit(bindparam("most"))
        .subquery()
    )
    return (
        select(newest.c.seq, Message.author, Message.text)
        .join(newest, Message.run_id == newest.c.id)
        .where(Message.tenant_id == bindparam("tenant"), Message.public)
        .order_by(newest.c.place, Message.id)
    )


async def said_before(
    session: AsyncSession, run: Run, after_seq: int, exchanges: int
) -> list[Said]:
    """`seq`, author and text of the public messages of the newest runs before this one.

    By run, so that a reply stands after its question although a newer question came in between;
    a message that was merged into another run stands with that run's.
    """
    bounds = {"after": after_seq, "before": run.seq, "most": exchanges}
    asked = {**_whose(run), "thread": run.thread_id, **bounds}
    return list(await session.execute(_select_said_before(), asked))


@cache
def _select_other_tickets() -> Select[Any]:
    recent = (
        select(Run.id, Run.ticket_id)
        .where(*_of_customer(), Run.ticket_id != bindparam("ticket"), Run.replay_of.is_(None))
        .order_by(Run.id.desc())
        .limit(LOOK_BACK_RUNS)
        .subquery()
    )
    newest_of_each = (
        select(recent.c.id)
        .ext(distinct_on(recent.c.ticket_id))
        .order_by(recent.c.ticket_id, recent.c.id.desc())
    )
    subject = func.jsonb_extract_path_text(Run.ticket, "subject")
    return (
        select(
            Run.ticket_id,
            Run.outcome,
            Run.status,
            Run.created_at,
            func.left(subject, 500).label("subject"),
            func.jsonb_extract_path(Run.result, "handoff").label("handoff"),
        )
        .where(Run.tenant_id == bindparam("tenant"), Run.id.in_(newest_of_each))
        .order_by(Run.id.desc())
        .limit(bindparam("most"))
    )


async def other_tickets(session: AsyncSession, run: Run, limit: int) -> list[Row[Any]]:
    """The newest run of each of the customer's newest other tickets, newest first."""
    asked = {**_whose(run), "ticket": run.ticket_id, "most": limit}
    return list(await session.execute(_select_other_tickets(), asked))


async def effects_on_tickets(
    session: AsyncSession, run: Run, ticket_ids: Iterable[str], limit: int
) -> list[tuple[str, LedgerEntry]]:
    """The effects for the customer on these tickets except replies, newest first."""
    query = (
        select(Run.ticket_id, LedgerEntry)
        .join(Run, Run.id == LedgerEntry.run_id)
        .where(
            LedgerEntry.tenant_id == run.tenant_id,
            LedgerEntry.customer_id == run.customer_id,
            LedgerEntry.status == "done",
            # Only hand-offs of a plan: the one that ended the run stands in the run's result.
            LedgerEntry.tool.not_in(names_of("reply")),
            or_(LedgerEntry.tool.not_in(names_of("handoff")), LedgerEntry.step_id.is_not(None)),
            Run.ticket_id.in_(ticket_ids),
        )
        .order_by(LedgerEntry.started_at.desc())
        .limit(limit)
    )
    return [(ticket_id, entry) for ticket_id, entry in await session.execute(query)]


async def run_by_id(session: AsyncSession, run_id: UUID) -> Run | None:
    """The run that a job names, of any tenant; later queries name its tenant and customer."""
    return await session.get(Run, run_id)
