"""What a refund may not be: another customer's, in another currency, over what is left."""

import pytest

from tests.fakes import RefusingBilling, World
from tests.unit.test_toolbox import refund, world_with
from tools.errors import RefusedError
from tools.models import JsonObject


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"payment_id": "pay_2001"}, "pay_2001 does not exist"),  # Bob's
        ({"payment_id": "pay_9999"}, "pay_9999 does not exist"),
        ({"amount_minor": 4901}, "only 49.00 USD left"),
        ({"currency": "EUR"}, "is in USD, not EUR"),
    ],
)
async def test_refund_beyond_the_customers_payment_is_refused(
    changes: JsonObject, why: str
) -> None:
    """Another customer's payment does not exist; what is left of one's own is the limit."""
    world = World()
    with pytest.raises(RefusedError, match=why):
        await refund(world, **changes)
    assert world.billing.calls == 0
    assert world.ledger.statuses() == ["failed"]


async def test_refund_over_what_is_left_is_refused() -> None:
    """What was given back before counts."""
    world = World()
    await refund(world, amount_minor=4000)
    with pytest.raises(RefusedError, match=r"only 9\.00 USD left"):
        await refund(world, amount_minor=901)
    assert (await refund(world, amount_minor=900))["amount_minor"] == 900
    assert world.billing.by_customer["cus_ann"][1]["refunded_minor"] == 4900


async def test_refusal_stays_a_refusal() -> None:
    """After `failed` the provider is not asked again under this key."""
    billing = RefusingBilling({})
    billing.refused = frozenset({"pay_1002"})
    world = world_with(billing)
    for _ in range(3):
        with pytest.raises(RefusedError, match="disputed"):
            await refund(world)
        billing.refused = frozenset()
    assert (billing.calls, billing.refunds, world.ledger.statuses()) == (1, {}, ["failed"])
