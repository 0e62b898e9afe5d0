"""Use cases: claim what waits for people, give it back, put it off for oneself. They never commit.

A claim is a sign to others and no lock; a snooze is of one key alone.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.console import claims
from app.db.tables.console import Claim
from app.db.tables.tenants import ApiKey
from app.errors import AlreadyClaimedError, NotFoundError


class Standing(NamedTuple):
    """Who works on an item, and until when the key's holder has put it off."""

    claim: Claim | None
    snoozed_until: datetime | None


async def standing(session: AsyncSession, key: ApiKey, item_id: UUID) -> Standing:
    """How an approval or hand-off stands for the key's holder. Raises NotFoundError."""
    await _need_item(session, key, item_id)
    claimed = await claims.claims_of(session, key.tenant_id, [item_id])
    return Standing(claimed.get(item_id), await claims.snoozed_until(session, key, item_id))


async def claim(session: AsyncSession, key: ApiKey, item_id: UUID, over: str | None) -> None:
    """Show others that the key's holder works on it; `over` is the key whose claim they replace.

    Raises:
        NotFoundError: the tenant has no such approval or hand-off.
        AlreadyClaimedError: another key than `over` has it.
    """
    await _need_item(session, key, item_id)
    if await claims.claim(session, key, item_id, over):
        return
    held = (await claims.claims_of(session, key.tenant_id, [item_id]))[item_id]
    raise AlreadyClaimedError(
        f"{held.claimed_by} has claimed it meanwhile. Look again before you claim it instead.",
        claim={"key_id": held.key_id, "claimed_by": held.claimed_by},
    )


async def release(session: AsyncSession, key: ApiKey, item_id: UUID) -> None:
    """Give the holder's own claim back; another one's stays. Raises NotFoundError."""
    await _need_item(session, key, item_id)
    await claims.release(session, key, item_id)


async def snooze(session: AsyncSession, key: ApiKey, item_id: UUID, lasts: timedelta) -> None:
    """Leave it out of the holder's list for a while; no time ends that. Raises NotFoundError."""
    await _need_item(session, key, item_id)
    await claims.snooze(session, key, item_id, lasts)


async def _need_item(session: AsyncSession, key: ApiKey, item_id: UUID) -> None:
    if not await claims.item_exists(session, key.tenant_id, item_id):
        raise NotFoundError(f"There is no approval or hand-off {item_id}.")
