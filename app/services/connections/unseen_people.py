"""Which people spoke in a desk's ticket without our knowing: their hook is late, or lost."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.connectors.helpdesk import TicketView
from app.db.connections import inbox
from app.db.tables.connections import Connection


async def unseen_people(session: AsyncSession, row: Connection, view: TicketView) -> list[str]:
    """The messages of people to the customer, since the bot last spoke, that were not seen yet.

    A person whose message was seen had the ticket, and gave it back if no person has it now.
    """
    public = [message for message in view.messages if message.public]
    ours = [at for at, message in enumerate(public) if message.author == "bot"]
    since = public[ours[-1] + 1 :] if ours else public
    people = [message.name for message in since if message.author == "person"]
    return await inbox.not_seen(session, row.id, people)
