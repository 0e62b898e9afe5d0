"""Queries on running summaries: whether a refresh is due, its claim and its result."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.conversations.history import Said
from app.db.core.base import found_by_key
from app.db.core.compiled import CompiledStatement, Executor
from app.db.tables.conversations import ConversationSummary
from app.db.tables.runs import Message, Run

# Longer than any model call: the claim of a worker that died ends after this time.
CLAIM = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A summary that is ours to refresh, as it stands, under the token that saves it."""

    token: UUID
    tenant_id: str
    upto_seq: int
    text: str


@cache
def _select_unsummarized_count() -> CompiledStatement:
    tenant: Any = bindparam("tenant")
    ticket: Any = bindparam("ticket")
    customer: Any = bindparam("customer")
    summarized = (
        select(ConversationSummary.upto_seq)
        .where(
            ConversationSummary.tenant_id == tenant,
            ConversationSummary.ticket_id == ticket,
            ConversationSummary.customer_id == customer,
        )
        .scalar_subquery()
    )
    unsummarized_runs = (
        select(Run.id)
        .where(
            found_by_key(Run.tenant_id) == tenant,
            Run.thread_id == bindparam("thread"),
            Run.customer_id == customer,
            Run.seq > func.coalesce(summarized, 0),
            Run.finished_at.is_not(None),
        )
        .limit(bindparam("most"))
        .subquery()
    )
    return CompiledStatement(select(func.count()).select_from(unsummarized_runs))


async def count_unsummarized(executor: Executor, run: Run, most: int) -> int:
    """How many finished runs of the ticket the summary does not cover yet, counted up to `most`."""
    whose = {"tenant": run.tenant_id, "ticket": run.ticket_id, "customer": run.customer_id}
    bounds = {"thread": run.thread_id, "most": most}
    [(count,)] = await _select_unsummarized_count().rows(executor, **whose, **bounds)
    return int(count)


async def claim(session: AsyncSession, run: Run) -> Claimed | None:
    """Claim the ticket's summary for a refresh; None while another worker has it."""
    row = insert(ConversationSummary).values(
        tenant_id=run.tenant_id,
        ticket_id=run.ticket_id,
        customer_id=run.customer_id,
        claim=uuid4(),
        claimed_until=func.now() + CLAIM,
    )
    taken = row.on_conflict_do_update(
        index_elements=["tenant_id", "ticket_id", "customer_id"],
        set_={"claim": row.excluded.claim, "claimed_until": row.excluded.claimed_until},
        where=ConversationSummary.claimed_until.is_(None)
        | (ConversationSummary.claimed_until < func.now()),
    ).returning(ConversationSummary)
    options = {"populate_existing": True}
    held = (await session.scalars(taken, execution_options=options)).one_or_none()
    if held is None or held.claim is None:
        return None
    return Claimed(held.claim, held.tenant_id, held.upto_seq, held.text)


async def exchanges_after(
    session: AsyncSession, run: Run, after_seq: int, limit: int
) -> list[list[Said]]:
    """The public messages of the oldest finished runs that are not covered yet, run by run."""
    oldest = (
        select(Run.id, Run.seq)
        .where(
            Run.tenant_id == run.tenant_id,
            Run.thread_id == run.thread_id,
            Run.customer_id == run.customer_id,
            Run.seq > after_seq,
            Run.finished_at.is_not(None),
        )
        .order_by(Run.seq)
        .limit(limit)
        .subquery()
    )
    query = (
        select(oldest.c.seq, Message.author, Message.text)
        .join(oldest, Message.run_id == oldest.c.id)
        .where(Message.tenant_id == run.tenant_id, Message.public)
        .order_by(oldest.c.seq, Message.id)
    )
    by_run: dict[int, list[Said]] = {}
    for said in await session.execute(query):
        by_run.setdefault(said[0], []).append(said)
    return list(by_run.values())


async def save(
    session: AsyncSession,
    held: Claimed,
    upto_seq: int,
    text: str,
    model: str,
    tokens: int,
    cost_usd: Decimal | None,
) -> bool:
    """Write the refreshed text; False when the claim ran out, or the customer was erased."""
    query = (
        update(ConversationSummary)
        .where(
            ConversationSummary.tenant_id == held.tenant_id, ConversationSummary.claim == held.token
        )
        .values(
            upto_seq=upto_seq,
            text=text,
            model=model,
            tokens=ConversationSummary.tokens + tokens,
            cost_usd=ConversationSummary.cost_usd + cost_usd,
            claim=None,
            claimed_until=None,
            updated_at=func.now(),
        )
        .returning(ConversationSummary.upto_seq)
    )
    return (await session.scalars(query)).one_or_none() is not None


async def release(session: AsyncSession, held: Claimed) -> None:
    """Give a claim back without a new text; a row that never had one goes."""
    ours = (
        ConversationSummary.tenant_id == held.tenant_id,
        ConversationSummary.claim == held.token,
    )
    await session.execute(delete(ConversationSummary).where(*ours, ConversationSummary.text == ""))
    await session.execute(
        update(ConversationSummary).where(*ours).values(claim=None, claimed_until=None)
    )
