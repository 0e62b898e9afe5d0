"""Queries on what was said before: of one customer, within one tenant, always a bounded number."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Row, String, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.db.core import advisory_locks
from app.db.core.compiled import CompiledStatement, Executor
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.conversations import ConversationSummary
from app.db.tables.runs import Message, Run
from tools.catalog import names_of

# How many of the customer's newest runs are looked through for other tickets.
LOOK_BACK_RUNS = 200
Said = Row[int, str, str]


def _whose(run: Run) -> dict[str, Any]:
    return {"tenant": run.tenant_id, "customer": run.customer_id}


OF_CUSTOMER = (Run.tenant_id == bindparam("tenant"), Run.customer_id == bindparam("customer"))
OLDER = select(Run.id).where(*OF_CUSTOMER, Run.seq < bindparam("before"))
WROTE_BEFORE = CompiledStatement(
    select(
        OLDER.where(Run.thread_id == bindparam("thread")).exists(),
        OLDER.where(Run.thread_id != bindparam("thread")).exists(),
    )
)
ERASED = (bindparam("tenant", type_=String), bindparam("customer", type_=String))
HOLD_OFF = select(advisory_locks.shared("erasure", *ERASED))
HOLD = select(advisory_locks.exclusive("erasure", *ERASED))


async def hold_off_erasure(session: AsyncSession, tenant_id: str, customer_id: str) -> None:
    """Wait for an erasure of the customer, and let none begin until the transaction ends."""
    await session.execute(HOLD_OFF, {"tenant": tenant_id, "customer": customer_id})


async def wrote_before(executor: Executor, run: Run) -> tuple[bool, bool]:
    """Whether the customer has older runs, of this ticket and of others: most have neither."""
    asked = {**_whose(run), "before": run.seq, "thread": run.thread_id}
    [(here, elsewhere)] = await WROTE_BEFORE.rows(executor, **asked)
    return here, elsewhere


async def hold_customer(session: AsyncSession, tenant_id: str, customer_id: str) -> None:
    """Let no run read what it knows of the customer until the transaction ends."""
    await session.execute(HOLD, {"tenant": tenant_id, "customer": customer_id})


async def summary_of(session: AsyncSession, run: Run) -> ConversationSummary | None:
    """The running summary of the run's ticket."""
    key = (run.tenant_id, run.ticket_id, run.customer_id)
    return await session.get(ConversationSummary, key)


Into = aliased(Run)
NEWEST = (
    select(Run.id, Run.seq, func.coalesce(Into.seq, Run.seq).label("place"))
    .outerjoin(Into, Into.id == Run.merged_into)
    .where(
        *OF_CUSTOMER,
        Run.thread_id == bindparam("thread"),
        Run.seq > bindparam("after"),
        Run.seq < bindparam("before"),
    )
    .order_by(Run.seq.desc())
    .limit(bindparam("most"))
    .subquery()
)
SAID_BEFORE = (
    select(NEWEST.c.seq, Message.author, Message.text)
    .join(NEWEST, Message.run_id == NEWEST.c.id)
    .where(Message.tenant_id == bindparam("tenant"), Message.public)
    .order_by(NEWEST.c.place, Message.id)
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
    return list(await session.execute(SAID_BEFORE, asked))


RECENT = (
    select(Run.id, Run.ticket_id)
    .where(*OF_CUSTOMER, Run.ticket_id != bindparam("ticket"), Run.replay_of.is_(None))
    .order_by(Run.id.desc())
    .limit(LOOK_BACK_RUNS)
    .subquery()
)
NEWEST_OF_EACH = (
    select(RECENT.c.id)
    .ext(distinct_on(RECENT.c.ticket_id))
    .order_by(RECENT.c.ticket_id, RECENT.c.id.desc())
)
OTHER_TICKETS = (
    select(
        Run.ticket_id,
        Run.outcome,
        Run.status,
        Run.created_at,
        func.left(func.jsonb_extract_path_text(Run.ticket, "subject"), 500).label("subject"),
        func.jsonb_extract_path(Run.result, "handoff").label("handoff"),
    )
    .where(Run.tenant_id == bindparam("tenant"), Run.id.in_(NEWEST_OF_EACH))
    .order_by(Run.id.desc())
    .limit(bindparam("most"))
)


async def other_tickets(session: AsyncSession, run: Run, limit: int) -> list[Row[Any]]:
    """The newest run of each of the customer's newest other tickets, newest first."""
    asked = {**_whose(run), "ticket": run.ticket_id, "most": limit}
    return list(await session.execute(OTHER_TICKETS, asked))


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
            LedgerEntry.tool.not_in(names_of("reply")),
            or_(LedgerEntry.tool.not_in(names_of("handoff")), LedgerEntry.step_id.is_not(None)),
            Run.ticket_id.in_(ticket_ids),
        )
        .order_by(LedgerEntry.started_at.desc())
        .limit(limit)
    )
    return [(ticket_id, entry) for ticket_id, entry in await session.execute(query)]


async def run_by_id(session: AsyncSession, run_id: UUID) -> Run | None:
    """A run of a job, whoever's it is; everything after it names its tenant and customer."""
    return await session.get(Run, run_id)
