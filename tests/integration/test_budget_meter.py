"""Budgets in Postgres: what is set aside, what it did cost, and that parallel runs share a day."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from uuid import uuid4

import pytest
from langchain_core.messages import AIMessage

from app.adapters.models.budget_meter import PostgresMeter
from app.db.tables.tenants import ModelSpend
from app.db.tenants.spend import ADD_SPEND, spend_row
from app.execution.wiring import Service
from app.observability.prices import EXPECTED_OUTPUT_TOKENS, Prices
from app.settings import ModelPrice
from graphs.policy import Budgets
from tests.conftest import Tenant

pytestmark = pytest.mark.no_articles

# One millionth of a dollar a token, in and out.
PRICES = Prices({"m": ModelPrice(input_micro_usd_per_mtok=10**6, output_micro_usd_per_mtok=10**6)})
ONE_CALL = EXPECTED_OUTPUT_TOKENS + 1  # what is set aside for a question without characters


def meter(service: Service, tenant: Tenant, **limits: int) -> PostgresMeter:
    """The meter of one run."""
    keep = partial(service.saver.put_beside, None)
    return PostgresMeter(service.sessions, keep, tenant.id, PRICES, Budgets(**limits))


def answer(tokens: int, name: str = "m") -> AIMessage:
    """An answer that used that many tokens."""
    counts = {"input_tokens": tokens - 1, "output_tokens": 1, "total_tokens": tokens}
    return AIMessage("", response_metadata={"model_name": name}, usage_metadata=counts)


async def row(service: Service, tenant: Tenant) -> tuple[int, int, int, int]:
    """Today's spent, held, calls and tokens."""
    async with service.sessions() as session:
        found = await session.get(ModelSpend, (tenant.id, datetime.now(UTC).date()))
    assert found is not None
    return found.micro_usd, found.held_micro_usd, found.calls, found.tokens


async def test_answer_replaces_what_was_set_aside(service: Service, tenant: Tenant) -> None:
    """The day's row holds an amount during a call, and what it did cost afterwards."""
    run = meter(service, tenant, day_micro_usd=10_000)
    hold = await run.hold("m", 0)
    assert hold is not None
    assert await row(service, tenant) == (0, ONE_CALL, 0, 0)
    await run.settle(hold, answer(30))
    assert await row(service, tenant) == (30, 0, 1, 30)
    failed = await run.hold("m", 0)
    assert failed is not None
    await run.settle(failed, None)
    assert await row(service, tenant) == (30, 0, 1, 30)


async def test_parallel_runs_cannot_share_what_is_left_of_a_day(
    service: Service, tenant: Tenant
) -> None:
    """Twenty runs at once and money for three calls: three are set aside."""
    runs = [meter(service, tenant, day_micro_usd=3 * ONE_CALL) for _ in range(20)]
    held = [hold for hold in await asyncio.gather(*(run.hold("m", 0) for run in runs)) if hold]
    assert len(held) == 3
    assert (await row(service, tenant))[1] == 3 * ONE_CALL


async def test_parallel_specialists_cannot_share_what_is_left_of_a_run(
    service: Service, tenant: Tenant
) -> None:
    """One run, five questions at once, money for two; another run has its own."""
    run = meter(service, tenant, run_micro_usd=2 * ONE_CALL, day_micro_usd=10**9)
    held = [hold for hold in await asyncio.gather(*(run.hold("m", 0) for _ in range(5))) if hold]
    assert len(held) == 2
    assert await meter(service, tenant, run_micro_usd=ONE_CALL).hold("m", 0)
    for hold in held:
        await run.settle(hold, answer(5))
    assert run.spent_micro_usd == 10
    assert run.held_micro_usd == 0


async def test_earlier_attempts_of_the_run_count(service: Service, tenant: Tenant) -> None:
    """A run that goes on elsewhere has no new budget."""
    run = meter(service, tenant, run_micro_usd=2 * ONE_CALL)
    run.spent_micro_usd = ONE_CALL + 1
    assert await run.hold("m", 0) is None


async def test_budget_of_nothing_pays_for_nothing_but_unknown_prices(
    service: Service, tenant: Tenant
) -> None:
    """0 means no paid call; a model without a price counts as 0, with its calls and tokens."""
    run = meter(service, tenant, run_micro_usd=0, day_micro_usd=0)
    assert await run.hold("m", 0) is None
    hold = await run.hold("mystery-1", 0)
    assert hold is not None
    await run.settle(hold, answer(30, "mystery-1"))
    assert await row(service, tenant) == (0, 0, 1, 30)


async def test_days_and_tenants_are_apart(service: Service, tenant: Tenant) -> None:
    """What was spent yesterday, or by another tenant, leaves today's budget alone."""
    yesterday = spend_row(tenant.id, date(2026, 1, 1), micro_usd=10**9)
    await service.saver.put_beside(None, {ADD_SPEND: [yesterday]})
    assert await meter(service, tenant, day_micro_usd=ONE_CALL).hold("m", 0)


async def test_calls_of_one_moment_are_added_up(service: Service, tenant: Tenant) -> None:
    """Five answers that are written in one transaction count five times."""
    run = meter(service, tenant, day_micro_usd=10**9)
    holds = [hold for hold in [await run.hold("m", 0) for _ in range(5)] if hold]
    await asyncio.gather(*(run.settle(hold, answer(10)) for hold in holds))
    assert await row(service, tenant) == (50, 0, 5, 50)


async def test_cost_counts_although_the_run_is_lost(service: Service, tenant: Tenant) -> None:
    """The fence refuses a late attempt's checkpoints, and not what its model was paid."""
    late = (str(uuid4()), 1)
    async with service.saver.behind(late):
        run = replace(meter(service, tenant), keep=partial(service.saver.put_beside, late))
        hold = await run.hold("m", 0)
        assert hold is not None
        await run.settle(hold, answer(30))
    assert await row(service, tenant) == (30, 0, 1, 30)
