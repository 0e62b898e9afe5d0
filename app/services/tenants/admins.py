"""Which admins of a tenant are one person, so that a second admin is another one."""

from collections.abc import Iterable, Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.audit.issuers import issuers_of_keys
from app.db.tables.tenants import ApiKey
from app.db.tenants.queries import list_keys
from app.services.approvals.people import holder, identities

Names = frozenset[str]


async def other_admins(session: AsyncSession, admin: ApiKey) -> set[str]:
    """The ids of the tenant's live admin keys that another person than this one's holds."""
    keys = await list_keys(session, admin.tenant_id)
    own = await own_keys(session, admin)
    live = {key.id for key in keys if key.revoked_at is None and "admin" in key.scopes}
    return live - own


async def own_keys(session: AsyncSession, admin: ApiKey) -> set[str]:
    """The ids of all keys of the person who holds this one, revoked ones included.

    A key that a person issued with a key of theirs counts as theirs, and so does one that shares a
    name or a person with any of their keys.
    """
    keys = await list_keys(session, admin.tenant_id)
    names = names_by_key(keys, await issuers_of_keys(session, admin.tenant_id))
    own = joined(names[admin.id], names.values())
    return {key for key, theirs in names.items() if theirs & own}


def names_by_key(keys: Iterable[ApiKey], issuers: Mapping[str, str]) -> dict[str, Names]:
    """What names the holder of each key: their own names, and those of who issued it."""
    own = {key.id: identities(holder(key)) for key in keys}
    return {key: names | own.get(issuers.get(key, ""), frozenset()) for key, names in own.items()}


def joined(names: Names, others: Iterable[Names]) -> Names:
    """The names and all that are joined to them, through names that they share."""
    left = list(others)
    while touching := [other for other in left if other & names]:
        names = names.union(*touching)
        left = [other for other in left if not other & names]
    return names
