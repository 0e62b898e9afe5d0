"""Rates by GCRA: one row a scope holds the one time that the algorithm needs.

Source: ITU-T I.371, annex A, the Generic Cell Rate Algorithm in its virtual scheduling form. `tat`
is the theoretical arrival time: with an interval T between runs and a burst of B, a run that comes
at t may start at max(t, tat - (B - 1) T), and moves `tat` to max(t, tat) + T. A row whose `tat` has
passed says as much as no row.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from sqlalchemy import DateTime, Interval, bindparam, delete, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.hot import Hot
from app.db.tables import Rate
from graphs.limits import Rates

TENANT = "tenant"
# Rows of customers who write now are kept, so that they are updated rather than made anew.
KEPT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """When a run may start, and whose rate makes it wait."""

    not_before: datetime
    limited_by: Literal["customer", "tenant"] | None


def scope_of(customer_id: str) -> str:
    """The scope of a customer's own rate."""
    return f"customer:{customer_id}"


def interval(per_minute: int) -> timedelta:
    """The time between two runs at that rate."""
    return timedelta(minutes=1) / per_minute


async def take(session: AsyncSession, tenant_id: str, customer_id: str, rates: Rates) -> Slot:
    """Spend one run of both rates and answer when it may start.

    The rows stay locked until the end of the transaction, the tenant's first, so the customer's
    runs get times in the order in which they are stored. The customer's rate counts from when the
    tenant's lets the run through.
    """
    asked, limited_by = None, None
    if rates.tenant_per_minute is not None:
        asked, waits = await spend(
            session, tenant_id, TENANT, rates.tenant_per_minute, rates.tenant_burst
        )
        limited_by = "tenant" if waits else None
    scope = scope_of(customer_id)
    start, waits = await spend(
        session, tenant_id, scope, rates.customer_per_minute, rates.customer_burst, asked
    )
    return Slot(start, "customer" if waits else "tenant" if limited_by else None)


async def spend(
    session: AsyncSession,
    tenant_id: str,
    scope: str,
    per_minute: int,
    burst: int,
    asked: datetime | None = None,
) -> tuple[datetime, bool]:
    """Spend one run of a scope, now or at `asked`: when it may start, and whether that is later."""
    step = interval(per_minute)
    who = {"tenant": tenant_id, "scope_": scope}
    numbers = {"step": step, "tolerance": step * burst, "asked": asked}
    [(start, waits)] = await _spend().rows(session, **who, **numbers)
    return start, waits


@cache
def _spend() -> Hot:
    step = bindparam("step", type_=Interval())
    # The clock, not the transaction's time: who waited for the row came later than who held it.
    asked = bindparam("asked", type_=DateTime(timezone=True))
    arrival = func.greatest(func.clock_timestamp(), asked)
    earliest = Rate.tat - bindparam("tolerance", type_=Interval())
    return Hot(
        insert(Rate)
        .values(tenant_id=bindparam("tenant"), scope=bindparam("scope_"), tat=arrival + step)
        .on_conflict_do_update(
            index_elements=["tenant_id", "scope"],
            set_={"tat": func.greatest(Rate.tat, arrival) + step},
        )
        .returning(func.greatest(arrival, earliest), earliest > arrival)
    )


async def give_back(session: AsyncSession, tenant_id: str, customer_id: str, rates: Rates) -> None:
    """Undo `take` within its own transaction: nobody else has seen the rows."""
    spent = {scope_of(customer_id): rates.customer_per_minute}
    if rates.tenant_per_minute is not None:
        spent[TENANT] = rates.tenant_per_minute
    for scope, per_minute in spent.items():
        await session.execute(
            update(Rate)
            .where(Rate.tenant_id == tenant_id, Rate.scope == scope)
            .values(tat=Rate.tat - literal(interval(per_minute), Interval()))
        )


async def forget(session: AsyncSession, limit: int) -> None:
    """Remove rows whose time has passed; those in use just now are left for later."""
    past = select(Rate.tenant_id, Rate.scope).where(Rate.tat < func.now() - KEPT).limit(limit)
    past = past.with_for_update(skip_locked=True)
    await session.execute(delete(Rate).where(tuple_(Rate.tenant_id, Rate.scope).in_(past)))
