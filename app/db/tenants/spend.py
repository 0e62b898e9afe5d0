"""What models cost a tenant by UTC day: one row, changed before and after each call."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.db.core.base import Base


class ModelSpend(Base):
    """Millionths of a US dollar. `held_micro_usd` is set aside for calls that are on their way."""

    __tablename__ = "model_spend"

    tenant_id: Mapped[str] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    micro_usd: Mapped[int] = mapped_column(server_default="0")
    held_micro_usd: Mapped[int] = mapped_column(server_default="0")
    calls: Mapped[int] = mapped_column(server_default="0")
    tokens: Mapped[int] = mapped_column(server_default="0")

    __table_args__ = (
        CheckConstraint(
            "micro_usd >= 0 AND held_micro_usd >= 0 AND calls >= 0 AND tokens >= 0",
            name="model_spend_not_negative",
        ),
    )


async def hold_spend(
    session: AsyncSession, tenant_id: str, day: date, micro_usd: int, limit_micro_usd: int
) -> bool:
    """Set an amount aside if the day's limit allows it; parallel calls never share what is left.

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
