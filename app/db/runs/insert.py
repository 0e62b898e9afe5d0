"""Starts a run by one statement: spends the rate, inserts the run on the queue, its message."""

from functools import cache
from typing import Any

from sqlalchemy import Boolean, Text, bindparam, case, func, literal, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import insert

from app.db.core.base import sql_table
from app.db.core.compiled import CompiledQuery, Executor, new_values
from app.db.runs.queue import announced
from app.db.tables.runs import Message, Run
from app.db.tenants.rate_limit import Slot, scope_of, spending, step_and_tolerance
from graphs.policy_limits import Rates

RUNS, MESSAGES = sql_table(Run), sql_table(Message)


async def insert_run(
    executor: Executor, rates: Rates, of_tenant: Slot | None, **values: Any
) -> tuple[Run | None, bool]:
    """Write a new run with the customer's message `body`, on the queue, by the customer's rate.

    The customer's rate counts from the time at which the tenant's rate admits the run. Returns no
    run when the Idempotency-Key is taken; the flag then says whether the customer's rate was spent,
    which happens when two requests with that key arrive at the same instant.
    """
    asked = {
        "tenant": values["tenant_id"],
        "key": values["idempotency_key"],
        "scope_": scope_of(values["customer_id"]),
        "asked": of_tenant and of_tenant.start,
        "by_tenant": bool(of_tenant and of_tenant.waits),
        **step_and_tolerance(rates.customer_per_minute, rates.customer_burst),
    }
    new = new_values(values)
    started = _insert_run(tuple(name for name in values if name != "body"))
    run = await started.one_or_none(executor, **asked, **new)
    return (run, True) if run and run.id else (None, run is not None)


@cache
def _insert_run(names: tuple[str, ...]) -> CompiledQuery[Run]:
    known = select(literal(1)).where(
        Run.tenant_id == bindparam("tenant"), Run.idempotency_key == bindparam("key")
    )
    slot = spending(unless=known.exists()).cte("slot")
    given = [bindparam(f"new_{name}", type_=RUNS.c[name].type).label(name) for name in names]
    by_tenant = bindparam("by_tenant", type_=Boolean)
    by = case((slot.c.waits, "customer"), (by_tenant, "tenant"))
    due = case((or_(slot.c.waits, by_tenant), slot.c.start), else_=func.now())
    row = insert(RUNS).from_select(
        [*names, "not_before", "limited_by", "queued_for"],
        select(*given, slot.c.start, by, due),
    )
    run = row.on_conflict_do_nothing().returning(*RUNS.columns).cte("run")
    message = insert(MESSAGES).from_select(
        ["tenant_id", "ticket_id", "run_id", "author", "key", "text"],
        select(
            run.c.tenant_id,
            run.c.ticket_id,
            run.c.id,
            literal("customer"),
            literal("customer:") + sql_cast(run.c.id, Text),
            bindparam("new_body", type_=MESSAGES.c.text.type),
        ),
    )
    both = select(*run.columns, announced(run.c.queued_for).label("announced"))
    found = both.select_from(slot.outerjoin(run, literal(True)))  # ON true
    return CompiledQuery(Run, found.add_cte(message.cte("message")))
