"""Rate limits by GCRA: one row a scope holds the one time that the algorithm needs.

Source: ITU-T I.371, annex A, the Generic Cell Rate Algorithm in its virtual scheduling form. `tat`
is the theoretical arrival time: with an interval T between runs and a burst of B, a run that comes
at t may start at max(t, tat - (B - 1) T), and moves `tat` to max(t, tat) + T. A row whose `tat` has
passed says as much as no row.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Interval,
    Text,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from app.db.core.base import sql_table
from app.db.core.compiled import CompiledStatement, Executor
from app.db.tables.runs import Rate
from graphs.policy_limits import Rates

TENANT = "tenant"
# Rows of active customers stay, so that they are updated instead of inserted again.
KEPT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """When a rate lets a run start, and whether that is later than now."""

    start: datetime
    waits: bool


def scope_of(customer_id: str) -> str:
    """The scope of a customer's own rate."""
    return f"customer:{customer_id}"


def interval(per_minute: int) -> timedelta:
    """The time between two runs at that rate."""
    return timedelta(minutes=1) / per_minute


async def take_of_tenant(executor: Executor, tenant_id: str, rates: Rates) -> Slot | None:
    """Spend one run of the tenant's own rate: when it lets the run through. None without a rate.

    Its row stays locked until the end of the transaction.
    """
    if rates.tenant_per_minute is None:
        return None
    return await spend(executor, tenant_id, TENANT, rates.tenant_per_minute, rates.tenant_burst)


async def spend(
    executor: Executor,
    tenant_id: str,
    scope: str,
    per_minute: int,
    burst: int,
    asked: datetime | None = None,
) -> Slot:
    """Spend one run of a scope, now or at `asked`."""
    who = {"tenant": tenant_id, "scope_": scope, "asked": asked}
    numbers = step_and_tolerance(per_minute, burst)
    [(start, waits)] = await _insert_spent().rows(executor, **who, **numbers)
    return Slot(start, waits)


def step_and_tolerance(per_minute: int, burst: int) -> dict[str, timedelta]:
    """A rate as `spending` takes it."""
    step = interval(per_minute)
    return {"step": step, "tolerance": step * burst}


@cache
def _insert_spent() -> CompiledStatement:
    return CompiledStatement(spending())


def spending(unless: ColumnElement[bool] | None = None) -> ReturningInsert[Any]:
    """Spend one run of `tenant` and `scope_`, at `asked` or now, `unless` something holds.

    Answers `start`, when the run may start, and whether it `waits`.
    """
    step = bindparam("step", type_=Interval())
    # The clock, not the transaction's time: a request that waited for the row came later.
    asked = bindparam("asked", type_=DateTime(timezone=True))
    arrival = func.greatest(func.clock_timestamp(), asked)
    earliest = Rate.tat - bindparam("tolerance", type_=Interval())
    whose = sql_table(Rate).c
    who = (bindparam("tenant", type_=Text), bindparam("scope_", type_=whose.scope.type))
    row = select(*who, arrival + step)
    return (
        insert(Rate)
        .from_select(["tenant_id", "scope", "tat"], row if unless is None else row.where(~unless))
        .on_conflict_do_update(
            index_elements=["tenant_id", "scope"],
            set_={"tat": func.greatest(Rate.tat, arrival) + step},
        )
        .returning(
            func.greatest(arrival, earliest).label("start"), (earliest > arrival).label("waits")
        )
    )


@cache
def _update_given_back() -> CompiledStatement:
    whose = (Rate.tenant_id == bindparam("tenant"), Rate.scope == bindparam("scope_"))
    earlier = Rate.tat - bindparam("step", type_=Interval())
    return CompiledStatement(update(Rate).where(*whose).values(tat=earlier))


async def give_back(
    executor: Executor, tenant_id: str, rates: Rates, customer_id: str | None
) -> None:
    """Undo what a repeated request spent: of the tenant's rate, if any, and the customer's."""
    spent = {scope_of(customer_id): rates.customer_per_minute} if customer_id else {}
    if rates.tenant_per_minute is not None:
        spent[TENANT] = rates.tenant_per_minute
    for scope, per_minute in spent.items():
        who = {"tenant": tenant_id, "scope_": scope}
        await _update_given_back().rows(executor, **who, step=interval(per_minute))


async def prune(session: AsyncSession, limit: int) -> None:
    """Delete rows whose time has passed; locked ones are left for later."""
    past = select(Rate.tenant_id, Rate.scope).where(Rate.tat < func.now() - KEPT).limit(limit)
    past = past.with_for_update(skip_locked=True)
    await session.execute(delete(Rate).where(tuple_(Rate.tenant_id, Rate.scope).in_(past)))
