"""Queries on what models cost a tenant by UTC day: one row, changed before and after each call."""

from datetime import date
from functools import cache
from typing import Any, LiteralString

from sqlalchemy import BigInteger, bindparam
from sqlalchemy.dialects.postgresql import insert
from uuid_utils import uuid4

from app.db.core.compiled import CompiledStatement, Executor
from app.db.tables.tenants import ModelSpend

# In the order of tenants, so that two processes never wait for one another.
ADD_SPEND: LiteralString = """
WITH call AS (
    SELECT * FROM unnest(%b::text[], %b::text[], %b::date[], %b::bigint[], %b::bigint[],
        %b::bigint[], %b::bigint[])
        AS given (id, tenant_id, day, micro_usd, released_micro_usd, calls, tokens)
)
INSERT INTO model_spend AS spent (tenant_id, day, micro_usd, calls, tokens)
SELECT tenant_id, day, sum(micro_usd), sum(calls), sum(tokens) FROM call
GROUP BY tenant_id, day ORDER BY tenant_id, day
ON CONFLICT (tenant_id, day) DO UPDATE SET micro_usd = spent.micro_usd + EXCLUDED.micro_usd,
    held_micro_usd = spent.held_micro_usd - (SELECT sum(released_micro_usd) FROM call
        WHERE call.tenant_id = spent.tenant_id AND call.day = spent.day),
    calls = spent.calls + EXCLUDED.calls, tokens = spent.tokens + EXCLUDED.tokens"""


def spend_row(
    tenant_id: str,
    day: date,
    *,
    micro_usd: int = 0,
    released_micro_usd: int = 0,
    calls: int = 0,
    tokens: int = 0,
) -> tuple[Any, ...]:
    """One change of a day as ADD_SPEND takes it; what was set aside is released."""
    return (str(uuid4()), tenant_id, day, micro_usd, released_micro_usd, calls, tokens)


async def hold_spend(
    executor: Executor, tenant_id: str, day: date, micro_usd: int, limit_micro_usd: int
) -> bool:
    """Reserve an amount if the day's limit allows it; parallel calls never share a remainder.

    One conditional statement, so two calls never see the same remainder.
    """
    if micro_usd > limit_micro_usd:
        return False
    asked = {"tenant": tenant_id, "on": day, "wanted": micro_usd, "most": limit_micro_usd}
    return bool(await _hold_spend().rows(executor, **asked))


@cache
def _hold_spend() -> CompiledStatement:
    wanted, most = (bindparam(name, type_=BigInteger()) for name in ("wanted", "most"))
    row = insert(ModelSpend).values(
        tenant_id=bindparam("tenant"), day=bindparam("on"), held_micro_usd=wanted
    )
    total = ModelSpend.micro_usd + ModelSpend.held_micro_usd + wanted
    return CompiledStatement(
        row.on_conflict_do_update(
            index_elements=["tenant_id", "day"],
            set_={"held_micro_usd": ModelSpend.held_micro_usd + wanted},
            where=total <= most,
        ).returning(ModelSpend.tenant_id)
    )
