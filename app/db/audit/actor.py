"""Who acts in a transaction, for the events that triggers write of what it changes."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

COMMAND_LINE = "command_line"


async def act_as(session: AsyncSession, actor: str) -> None:
    """Name the actor until the transaction ends: `COMMAND_LINE`, or `by_key` of a key's id.

    Rows that hold a key themselves, such as decisions, need no name. Without one it is the service.
    """
    await session.execute(select(func.set_config("deskgraph.actor", actor, True)))


def by_key(key_id: str) -> str:
    """The actor that is the holder of a key."""
    return f"key:{key_id}"
