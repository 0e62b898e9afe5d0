"""A cancelled run at the toolbox: what has begun is finished and written down."""

import asyncio

import pytest

from tests.fakes import SlowBilling, World
from tests.unit.test_toolbox import refund, world_with


async def refund_under_way() -> tuple[World, SlowBilling, asyncio.Task[object]]:
    """A refund that the provider has been asked for and has not answered."""
    billing = SlowBilling({})
    world = world_with(billing)
    caller = asyncio.create_task(refund(world))
    await billing.asked.wait()
    return world, billing, caller


async def test_begun_effect_reaches_its_row_though_the_caller_is_cancelled() -> None:
    """Cancelling a run in the middle of a call waits for the answer, and writes it down."""
    world, billing, caller = await refund_under_way()
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    assert world.ledger.statuses() == ["started"]
    billing.answer.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert world.ledger.statuses() == ["done"]
    assert len(billing.refunds) == 1


async def test_refusal_is_written_down_though_the_caller_is_cancelled() -> None:
    """Cancelled while the provider says no: the row says failed, and the cancel goes on."""
    world, billing, caller = await refund_under_way()
    caller.cancel()
    # Another caller gets the money back while our call is on its way.
    billing.by_customer["cus_ann"][1]["refunded_minor"] = 4900
    billing.answer.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert world.ledger.statuses() == ["failed"]


async def test_second_cancel_lets_go_but_the_effect_is_still_written() -> None:
    """Who cancels twice need not wait; the begun call goes on by itself to its row."""
    before = asyncio.all_tasks()
    world, billing, caller = await refund_under_way()
    for _ in range(2):
        caller.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert world.ledger.statuses() == ["started"]
    [effect] = asyncio.all_tasks() - before
    billing.answer.set()
    await effect
    assert world.ledger.statuses() == ["done"]
