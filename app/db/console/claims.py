"""Queries on claims and snoozes: who works on what waits, and who wants to see it later."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.console import Claim, Snooze
from app.db.tables.sandbox import Handoff
from app.db.tables.tenants import ApiKey


async def item_exists(session: AsyncSession, tenant_id: str, item_id: UUID) -> bool:
    """Whether the tenant has an approval or a hand-off of that id."""
    of_tenant = [
        select(table.id).where(table.tenant_id == tenant_id, table.id == item_id)
        for table in (Approval, Handoff)
    ]
    return (await session.scalars(of_tenant[0].union_all(of_tenant[1]))).first() is not None


async def claims_of(
    session: AsyncSession, tenant_id: str, item_ids: Collection[UUID]
) -> dict[UUID, Claim]:
    """Who has claimed which of the items."""
    query = select(Claim).where(Claim.tenant_id == tenant_id, Claim.item_id.in_(item_ids))
    return {claim.item_id: claim for claim in await session.scalars(query)}


async def claim(session: AsyncSession, key: ApiKey, item_id: UUID, over: str | None) -> bool:
    """Claim an item for the key's holder, or take it over from the key `over`.

    False when it is another one's by now: of two who claim at once, one has it.
    """
    row = insert(Claim).values(
        tenant_id=key.tenant_id, item_id=item_id, key_id=key.id, claimed_by=key.name
    )
    taken = {"key_id": key.id, "claimed_by": key.name, "claimed_at": func.now()}
    query = row.on_conflict_do_update(
        index_elements=["tenant_id", "item_id"],
        set_=taken,
        where=Claim.key_id.in_([key.id, *([over] if over else [])]),
    )
    return (await session.scalars(query.returning(Claim.item_id))).one_or_none() is not None


async def release(session: AsyncSession, key: ApiKey, item_id: UUID) -> None:
    """Give the holder's own claim back."""
    await session.execute(
        delete(Claim).where(
            Claim.tenant_id == key.tenant_id, Claim.item_id == item_id, Claim.key_id == key.id
        )
    )


async def snooze(session: AsyncSession, key: ApiKey, item_id: UUID, lasts: timedelta) -> None:
    """Leave the item out of the holder's list for a while; a snooze of no time ends one."""
    row = insert(Snooze).values(
        tenant_id=key.tenant_id, item_id=item_id, key_id=key.id, until=func.now() + lasts
    )
    keys = ["tenant_id", "item_id", "key_id"]
    later = {"until": row.excluded.until}
    await session.execute(row.on_conflict_do_update(index_elements=keys, set_=later))


async def snoozed_until(session: AsyncSession, key: ApiKey, item_id: UUID) -> datetime | None:
    """Until when the holder put the item off, if they did."""
    query = select(Snooze.until).where(
        Snooze.tenant_id == key.tenant_id,
        Snooze.item_id == item_id,
        Snooze.key_id == key.id,
        Snooze.until > func.now(),
    )
    return (await session.scalars(query)).one_or_none()


async def prune_claims(session: AsyncSession, limit: int) -> None:
    """Delete up to `limit` claims of what waits no longer, and as many snoozes that are over."""
    open_approval = select(Approval.id).where(
        Approval.id == Claim.item_id, Approval.status == "pending"
    )
    open_handoff = select(Handoff.id).where(Handoff.id == Claim.item_id, Handoff.status == "open")
    ended = (
        select(Claim.item_id).where(~open_approval.exists(), ~open_handoff.exists()).limit(limit)
    )
    await session.execute(delete(Claim).where(Claim.item_id.in_(ended)))
    over = select(Snooze.item_id).where(Snooze.until <= func.now()).limit(limit)
    await session.execute(
        delete(Snooze).where(Snooze.item_id.in_(over), Snooze.until <= func.now())
    )
