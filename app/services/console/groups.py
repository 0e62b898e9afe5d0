"""Which people who take hand-offs a key's holder is, and so which group's work is theirs."""

from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.effects.handoffs import agents_of_tenant
from app.db.tables.tenants import ApiKey
from app.services.approvals.people import folded, holder, identities


class Group(NamedTuple):
    """The ids under which the holder takes hand-offs, and what they take: their skills."""

    agents: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()


async def group_of(session: AsyncSession, key: ApiKey) -> Group:
    """The agents whose id or name is the key's name or person. It only narrows a list.

    Nothing that a person may do hangs on it, so a name that two share does no harm.
    """
    names = identities(holder(key))
    agents = await session.scalars(agents_of_tenant(key.tenant_id))
    own = [agent for agent in agents if names & {folded(agent.id), folded(agent.name)}]
    skills = sorted({skill for agent in own for skill in agent.skills})
    return Group(tuple(agent.id for agent in own), tuple(skills))
