"""The sandbox provider keeps its own promises, from any caller."""

import asyncio

import pytest

from app.adapters.ports.sandbox_billing import SandboxBilling
from app.db.core.connections import Sessions
from tests.conftest import Tenant
from tools.errors import RefusedError
from tools.models import Refund

pytestmark = pytest.mark.no_articles


@pytest.fixture
def provider(sessions: Sessions, tenant: Tenant) -> SandboxBilling:
    """The tenant's account at the provider."""
    return SandboxBilling(sessions, tenant.id)


async def refunded(provider: SandboxBilling, payment_id: str) -> int:
    """What was given back on a payment of cus_bob, in minor units."""
    [payment] = [p for p in await provider.payments("cus_bob") if p["id"] == payment_id]
    return payment["refunded_minor"]


async def test_a_key_books_one_refund_however_often_it_comes(provider: SandboxBilling) -> None:
    """Twenty calls at once with one key: one refund, twenty same answers."""
    calls = [provider.refund("pay_2001", 500, "USD", "r", key="k1") for _ in range(20)]
    answers = await asyncio.gather(*calls)
    assert {answer["id"] for answer in answers} == {answers[0]["id"]}
    assert await refunded(provider, "pay_2001") == 500
    assert await provider.find_refund("k1", "pay_2001") == answers[0]
    assert await provider.find_refund("k2", "pay_2001") is None
    assert await provider.find_refund("k1", "pay_1001") is None


async def test_never_more_than_was_captured(provider: SandboxBilling) -> None:
    """Seven refunds of 100.00 at once on 600.00: six are booked."""
    calls = [provider.refund("pay_2001", 10_000, "USD", "r", key=f"k{n}") for n in range(7)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, RefusedError) for result in results) == 1
    assert await refunded(provider, "pay_2001") == 60_000


@pytest.mark.parametrize(("payment", "currency"), [("pay_nope", "USD"), ("pay_2001", "EUR")])
async def test_unknown_payment_or_currency_is_refused(
    provider: SandboxBilling, payment: str, currency: str
) -> None:
    """Nothing is booked, and the key stays free."""
    with pytest.raises(RefusedError):
        await provider.refund(payment, 100, currency, "r", key="k")
    booked: Refund | None = await provider.find_refund("k", payment)
    assert booked is None


async def test_tenants_do_not_see_each_other(sessions: Sessions, provider: SandboxBilling) -> None:
    """The same ids in another tenant are other payments."""
    stranger = SandboxBilling(sessions, "nobody")
    assert await stranger.payments("cus_bob") == []
    with pytest.raises(RefusedError):
        await stranger.refund("pay_2001", 100, "USD", "r", key="k")
    assert await refunded(provider, "pay_2001") == 0
