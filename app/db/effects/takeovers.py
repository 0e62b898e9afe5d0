"""Queries on threads that people have: who took one over, and what keeps the bot silent there."""

from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Text, and_, bindparam, delete, func, select
from sqlalchemy import exists as sql_exists
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core import advisory_locks
from app.db.core.compiled import CompiledStatement, Executor
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.conversations import Takeover
from app.db.tables.runs import Message, Run
from app.db.tables.sandbox import Handoff
from app.db.tenants.pauses import held_still
from app.lifecycle import RunStatus
from graphs.conversation import ThreadView

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The newest replies in which an echo is looked for, and how much of each.
REPLIES, REPLY_CHARS = 3, 4_000

TENANT: Any = bindparam("tenant", type_=Text)
TICKET: Any = bindparam("ticket", type_=Text)


class Silence(NamedTuple):
    """What may keep a reply from leaving, as the transaction that is about to write it sees it."""

    taken_over: bool
    replies_last_hour: int
    replies_last_day: int


async def lock_thread(executor: Executor, tenant_id: str, ticket_id: str) -> None:
    """Keep the thread from being taken over, and from other replies, until the transaction ends.

    Only a later statement may read who has it: this one's snapshot is older than its lock.
    """
    await _select_thread_lock().rows(executor, tenant=tenant_id, ticket=ticket_id)


@cache
def _select_thread_lock() -> CompiledStatement:
    return CompiledStatement(select(advisory_locks.exclusive("thread", TENANT, TICKET)))


async def hold_still(executor: Executor, tenant_id: str, ticket_id: str) -> None:
    """Lock the thread as `lock_thread` does, and the tenant's pause switches, in one statement."""
    await _select_both_locks().rows(executor, tenant=tenant_id, ticket=ticket_id)


@cache
def _select_both_locks() -> CompiledStatement:
    thread = advisory_locks.exclusive("thread", TENANT, TICKET)
    return CompiledStatement(select(*held_still(TENANT), thread))


def is_quiet(tenant_id: Any, ticket_id: Any) -> ColumnElement[bool]:
    """Whether no person has the thread, and it got no public reply within a day."""
    replied = (*_public_replies(tenant_id, ticket_id), Message.created_at > func.now() - DAY)
    return and_(~_taken_over(tenant_id, ticket_id), ~sql_exists().where(*replied))


async def silence_on(executor: Executor, tenant_id: str, ticket_id: str) -> Silence:
    """Whether a person has the thread, and how many public replies it got in an hour and a day."""
    rows = await _select_silence().rows(executor, tenant=tenant_id, ticket=ticket_id)
    return Silence(*rows[0])


@cache
def _select_silence() -> CompiledStatement:
    within = (_replies(TENANT, TICKET, window) for window in (HOUR, DAY))
    return CompiledStatement(select(_taken_over(TENANT, TICKET), *within))


def _taken_over(tenant_id: Any, ticket_id: Any) -> ColumnElement[bool]:
    return sql_exists().where(Takeover.tenant_id == tenant_id, Takeover.ticket_id == ticket_id)


def _replies(tenant_id: Any, ticket_id: Any, window: timedelta) -> ColumnElement[int]:
    return (
        select(func.count())
        .where(*_public_replies(tenant_id, ticket_id))
        .where(Message.created_at > func.now() - window)
        .scalar_subquery()
    )


def _public_replies(tenant_id: Any, ticket_id: Any) -> tuple[Any, ...]:
    of_ticket = (Message.tenant_id == tenant_id, Message.ticket_id == ticket_id)
    return (*of_ticket, Message.author == "deskgraph", Message.public.is_(True))


async def view_thread(session: AsyncSession, run: Run, hold_hours: int | None) -> ThreadView:
    """The run's thread as it stands; an open hand-off counts for `hold_hours`, or for ever."""
    tenant_id, ticket_id = run.tenant_id, run.ticket_id
    newest = (
        select(func.left(Message.text, REPLY_CHARS))
        .where(*_public_replies(tenant_id, ticket_id))
        .order_by(Message.id.desc())
        .limit(REPLIES)
    )
    taken_over, in_hour, in_day = await silence_on(session, tenant_id, ticket_id)
    holding = await holding_handoffs(session, tenant_id, ticket_id, hold_hours)
    return {
        "held": taken_over or any(handoff.part is None for handoff in holding),
        "parts": sorted({h.part for h in holding if h.part is not None and not h.questions}),
        "questions": [
            {"part": handoff.part, "text": text}
            for handoff in holding
            if handoff.part is not None
            for text in handoff.questions
        ],
        "replies": list(await session.scalars(newest))[::-1],
        "replies_last_hour": in_hour,
        "replies_last_day": in_day,
    }


async def holding_handoffs(
    session: AsyncSession, tenant_id: str, ticket_id: str, hold_hours: int | None
) -> list[Handoff]:
    """The open hand-offs that still hold the ticket or a part of it, oldest first."""
    query = select(Handoff).where(
        Handoff.tenant_id == tenant_id, Handoff.ticket_id == ticket_id, Handoff.status == "open"
    )
    if hold_hours is not None:
        query = query.where(Handoff.held_since > func.now() - timedelta(hours=hold_hours))
    return list(await session.scalars(query.order_by(Handoff.id)))


async def get_takeover(session: AsyncSession, tenant_id: str, ticket_id: str) -> Takeover | None:
    """Who took the ticket over, if it is still theirs."""
    return await session.get(Takeover, (tenant_id, ticket_id))


async def write_takeover(
    session: AsyncSession, tenant_id: str, ticket_id: str, handled_by: str
) -> None:
    """Give the ticket to a person; another name replaces the first, and the time stays."""
    row = insert(Takeover).values(tenant_id=tenant_id, ticket_id=ticket_id, handled_by=handled_by)
    keys = ("tenant_id", "ticket_id")
    await session.execute(
        row.on_conflict_do_update(index_elements=keys, set_={"handled_by": row.excluded.handled_by})
    )


async def remove_takeover(session: AsyncSession, tenant_id: str, ticket_id: str) -> bool:
    """Give the ticket back; False when no person had it."""
    query = (
        delete(Takeover)
        .where(Takeover.tenant_id == tenant_id, Takeover.ticket_id == ticket_id)
        .returning(Takeover.ticket_id)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def replies_in_flight(session: AsyncSession, tenant_id: str, ticket_id: str) -> int:
    """How many replies and effects on the ticket have begun and not ended in a live execution."""
    query = (
        select(func.count())
        .select_from(Run)
        .join(
            LedgerEntry,
            # The customer leads into an index.
            (LedgerEntry.tenant_id == Run.tenant_id)
            & (LedgerEntry.customer_id == Run.customer_id)
            & (LedgerEntry.run_id == Run.id),
        )
        .where(Run.tenant_id == tenant_id, Run.ticket_id == ticket_id)
        .where(Run.status == RunStatus.RUNNING, LedgerEntry.status == "started")
    )
    return int(await session.scalar(query) or 0)
