"""Use cases: a person takes a ticket over, and hands it back to the bot. They never commit."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.connections import deliveries
from app.db.core.connections import Sessions
from app.db.effects import takeovers
from app.db.effects.handoffs import close_whole
from app.db.tenants.queries import current_policy
from app.log import get_logger
from graphs.policy import Policy

log = get_logger(__name__)

# An answer comes within this time, whatever an outside system does.
PATIENCE_SECONDS = 10.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Handled:
    """Who has a ticket, and since when the bot is silent there; without a time it answers.

    A hand-off that waits in the queue keeps the bot silent and names no person yet.
    """

    by: str | None
    since: datetime | None


async def take_over(session: AsyncSession, tenant_id: str, ticket_id: str, by: str) -> None:
    """Silence the bot on the ticket from the commit on; taking over again changes only the name.

    Waits for replies that are just being written down as begun. A ticket that no run knows yet may
    be taken over as well: its assignment may arrive before its first message.
    """
    await takeovers.lock_thread(session, tenant_id, ticket_id)
    await takeovers.write_takeover(session, tenant_id, ticket_id, by)
    log.info("thread_taken_over", tenant_id=tenant_id, ticket_id=ticket_id, by=by)


async def wait_for_begun_replies(
    sessions: Sessions, tenant_id: str, ticket_id: str, patience_seconds: float = PATIENCE_SECONDS
) -> int:
    """Wait, once the takeover is committed, for what had begun before it; how much has not ended.

    That is replies and effects of runs, and posts on their way to a desk. Holds no connection
    while it waits.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        async with sessions() as session:
            begun = await takeovers.replies_in_flight(session, tenant_id, ticket_id)
            begun += await deliveries.posts_in_flight(session, tenant_id, ticket_id)
        if not begun or time.monotonic() >= deadline:
            return begun
        await asyncio.sleep(LOOK_SECONDS)


async def give_back(session: AsyncSession, tenant_id: str, ticket_id: str) -> bool:
    """Let the bot answer the ticket's next message; its open hand-offs of all of it are closed.

    Handing back what no person has changes nothing and answers False. What the customer wrote
    meanwhile stays the person's.
    """
    await takeovers.lock_thread(session, tenant_id, ticket_id)
    taken = await takeovers.remove_takeover(session, tenant_id, ticket_id)
    waited = await close_whole(session, tenant_id, ticket_id)
    log.info("thread_handed_back", tenant_id=tenant_id, ticket_id=ticket_id)
    return taken or waited


async def handled(session: AsyncSession, tenant_id: str, ticket_id: str) -> Handled:
    """Who has the ticket now, by a takeover or by an open hand-off of all of it."""
    _, body = await current_policy(session, tenant_id)
    hours = Policy.model_validate(body).handoff_hold_hours
    taken = await takeovers.get_takeover(session, tenant_id, ticket_id)
    holding = await takeovers.holding_handoffs(session, tenant_id, ticket_id, hours)
    whole = [handoff for handoff in holding if handoff.part is None]
    by = taken.handled_by if taken else next((h.agent_id for h in whole if h.agent_id), None)
    since = [handoff.held_since for handoff in whole] + ([taken.handled_since] if taken else [])
    return Handled(by, min(since, default=None))
