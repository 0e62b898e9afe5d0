"""Use cases: a desk of the tenant's own says what a person wrote, and that a ticket is closed."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db.effects.handoffs import close_all
from app.db.effects.takeovers import lock_thread, remove_takeover
from app.db.runs.filters import RunFilters
from app.db.runs.queries import live_of_ticket, runs_of_tenant
from app.db.runs.steps import add_message
from app.db.tables.runs import Message, Run
from app.errors import IdempotencyMismatchError, NotFoundError, RunFinishedError
from app.log import get_logger
from app.services.conversations.takeover import take_over
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import Enqueue

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """What a person wrote on a ticket; `public` if the customer saw it."""

    ticket_id: str
    author_name: str
    text: str
    public: bool
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Closed:
    """What closing a ticket ended."""

    runs: list[UUID]
    handoffs: int


async def add_person_message(session: AsyncSession, tenant_id: str, said: Said) -> Message:
    """Keep what a person wrote; a public message takes the ticket over in the person's name.

    It stands with the ticket's newest run, so that it is remembered and erased with it. Never
    commits.

    Raises:
        NotFoundError: no run knows the ticket.
        IdempotencyMismatchError: the key was used for another message.
    """
    await lock_thread(session, tenant_id, said.ticket_id)
    run_id = await newest_run(session, tenant_id, said.ticket_id)
    name = said.idempotency_key or str(uuid7())
    # No other kind of message begins so; a caller's key has no space.
    message = await add_message(
        session,
        tenant_id=tenant_id,
        ticket_id=said.ticket_id,
        run_id=run_id,
        author="person",
        key=f"person {name}",
        text=said.text,
        public=said.public,
    )
    same = (said.ticket_id, said.text, said.public)
    if (message.ticket_id, message.text, message.public) != same:
        raise IdempotencyMismatchError("This Idempotency-Key stored another message.")
    if said.public:
        await take_over(session, tenant_id, said.ticket_id, said.author_name)
    return message


async def newest_run(session: AsyncSession, tenant_id: str, ticket_id: str) -> UUID:
    """The ticket's newest run that is no replay. Raises NotFoundError."""
    query = runs_of_tenant(tenant_id, RunFilters(ticket_id=ticket_id)).where(
        Run.replay_of.is_(None)
    )
    newest = (await session.scalars(query.order_by(Run.id.desc()).limit(1))).one_or_none()
    if newest is None:
        raise NotFoundError(f"No run knows a ticket {ticket_id}.")
    return newest.id


async def close_ticket(
    session: AsyncSession, enqueue: Enqueue, tenant_id: str, ticket_id: str
) -> Closed:
    """End what is open on a ticket: its runs are cancelled, its hand-offs closed, no person has it.

    A message that comes later opens it again. Never commits.

    Raises:
        NotFoundError: no run knows the ticket.
    """
    # The thread before its runs, in the order of a reply that is written down.
    await lock_thread(session, tenant_id, ticket_id)
    await newest_run(session, tenant_id, ticket_id)
    cancelled = []
    for run_id in await live_of_ticket(session, tenant_id, ticket_id):
        try:
            await start_and_cancel.cancel(session, enqueue, tenant_id, run_id)
        except RunFinishedError:
            # It ended, or was merged into another one of these, meanwhile.
            continue
        cancelled.append(run_id)
    await remove_takeover(session, tenant_id, ticket_id)
    closed = Closed(cancelled, await close_all(session, tenant_id, ticket_id))
    log.info("ticket_closed", tenant_id=tenant_id, runs=len(closed.runs), handoffs=closed.handoffs)
    return closed
