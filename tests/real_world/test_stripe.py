"""Stripe's connector against localstripe, a foreign program."""

from collections.abc import AsyncIterator, Iterator

import pytest
import stripe

from app.connectors.stripe.hooks import read_hook, verify
from app.formats.strict_json import parse_json
from tests.conformance.accounts import Account, opened_at
from tests.conformance.payments import PaymentLaws
from tests.doubles.receiver import Receiver
from tests.doubles.server import serving
from tests.real_world.environments import NotInstalledError
from tests.real_world.localstripe import (
    KEY,
    ask,
    localstripe_account,
    new_customer,
    plain_client,
    running,
)

pytestmark = pytest.mark.real_world
SECRET = "whsec_localstripe"


@pytest.fixture(scope="module")
def localstripe() -> Iterator[str]:
    """One process for all tests of this file."""
    try:
        with running() as url:
            yield url
    except NotInstalledError as error:
        pytest.skip(str(error))


class TestLocalstripe(PaymentLaws):
    """The laws of all providers, at one that forgets every key."""

    @pytest.fixture
    async def account(self, localstripe: str) -> AsyncIterator[Account]:
        """Two new customers there, whose subscriptions end now."""
        async with localstripe_account(localstripe, cancel="now") as account:
            yield account


async def test_subscription_runs_till_the_end_of_its_period(localstripe: str) -> None:
    """It is active there, and cancelled to the customer."""
    async with localstripe_account(localstripe) as account:
        await account.payments.cancel_subscription(account.subscription, "r", key="k")
        there = await ask(localstripe, "GET", f"/v1/subscriptions/{account.subscription}")
        assert (there["status"], there["cancel_at_period_end"]) == ("active", True)
        [found] = await account.payments.subscriptions(account.customer)
        assert (found["status"], found["renews_at"]) == ("cancelled", None)


async def test_the_sdks_own_retries_would_book_three_refunds(localstripe: str) -> None:
    """Two lost answers and the SDK's default: why ours never tries again by itself."""
    async with localstripe_account(localstripe) as account:
        with serving(account.line.app) as line:
            await account.fail_writes(lose=2)
            http = stripe.HTTPXClient(timeout=20)
            client = stripe.StripeClient(
                KEY, base_addresses={"api": line}, http_client=http, max_network_retries=2
            )
            await client.v1.refunds.create_async({"charge": account.paid, "amount": 1000})
            await http.close_async()  # type: ignore[no-untyped-call]
        assert await account.booked() == [1000] * 3


async def test_its_signed_events_are_taken(localstripe: str, receiver: Receiver, url: str) -> None:
    """It signs as Stripe does; what is not about a refund is nothing to us."""
    hook = {"url": url, "secret": SECRET}
    async with plain_client() as client:
        kept = await client.post(f"{localstripe}/_config/webhooks/deskgraph", data=hook)
    assert kept.is_success
    await new_customer(localstripe)
    [first, *_] = receiver.until(bool)
    body = first.body.encode()
    assert verify(first.headers, body, ["whsec_other", SECRET]).startswith("evt_")
    async with opened_at(localstripe, key=KEY) as opened:
        assert read_hook(opened, parse_json(body)).kind == "nothing"
