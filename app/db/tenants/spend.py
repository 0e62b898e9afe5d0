"""Queries on what models cost a tenant by UTC day: one row, changed before and after each call."""

from datetime import date
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tables.tenants import ModelSpend


async def hold_spend(
    session: AsyncSession, tenant_id: str, day: date, micro_usd: int, limit_micro_usd: int
) -> bool:
    """Reserve an amount if the day's limit allows it; parallel calls never share a remainder.

    One conditional statement, so two calls never see the same remainder.
    """
    if micro_usd > limit_micro_usd:
        return False
    row = insert(ModelSpend).values(tenant_id=tenant_id, day=day, held_micro_usd=micro_usd)
    total = ModelSpend.micro_usd + ModelSpend.held_micro_usd + micro_usd
    held = row.on_conflict_do_update(
        index_elements=["tenant_id", "day"],
        set_={"held_micro_usd": ModelSpend.held_micro_usd + micro_usd},
        where=total <= limit_micro_usd,
    ).returning(ModelSpend.tenant_id)
    return (await session.scalars(held)).one_or_none() is not None


async def add_spend(session: AsyncSession, tenant_id: str, day: date, **amounts: int) -> None:
    """Add to the day's columns; a negative `held_micro_usd` gives back what was set aside."""
    new: dict[str, Any] = {name: max(0, amount) for name, amount in amounts.items()}
    row = insert(ModelSpend).values(tenant_id=tenant_id, day=day, **new)
    added = {name: getattr(ModelSpend, name) + amount for name, amount in amounts.items()}
    await session.execute(
        row.on_conflict_do_update(index_elements=["tenant_id", "day"], set_=added)
    )
