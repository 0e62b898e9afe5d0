"""The connector of Stripe over real HTTP: what it sends, how it pages, and what `test` says."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast
from urllib.parse import parse_qsl

import pytest
import stripe
from fastapi.responses import JSONResponse
from pydantic import SecretStr, ValidationError

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.connector import Check, Opened
from app.connectors.errors import SettingsError
from app.connectors.http import HttpClient
from app.connectors.stripe.client import API_VERSION, LACKS_RIGHT
from app.connectors.stripe.connector import STRIPE
from app.connectors.stripe.settings import StripeCredentials, StripeSettings
from tests.conformance.accounts import StripeAccount, opened_at, stripe_account
from tests.doubles.server import serving
from tests.doubles.stripe_double import ALL_RIGHTS, StripeDouble
from tools.errors import RefusedError, UnavailableError

RESTRICTED, SECRET = "rk_live_51AbcDef", "whsec_AbcDefGh123"


@pytest.fixture
async def account() -> AsyncIterator[StripeAccount]:
    """A new account whose subscriptions end now."""
    async with stripe_account(cancel="now") as opened:
        yield opened


async def checked(double: StripeDouble, secret: str = SECRET) -> list[Check]:
    """What `test` says of a connection to it."""
    with serving(double.app) as url:
        async with opened_at(url) as opened:
            key = opened.credentials.api_key
            credentials = StripeCredentials(api_key=key, webhook_secret=SecretStr(secret))
            return await STRIPE.test(replace(opened, credentials=credentials))


async def test_refund_sends_what_its_key_says_and_nothing_of_the_customer(
    account: StripeAccount,
) -> None:
    """A hash as Idempotency-Key, the key as metadata, no free text, no word of this machine."""
    await account.payments.refund(account.paid, 1000, "USD", "call me on 030 1234", key="k:1")
    assert account.double.calls == [
        "GET /v1/refunds", f"GET /v1/charges/{account.paid}", "POST /v1/refunds",
    ]  # fmt: skip
    assert dict(parse_qsl(account.double.bodies[-1])) == {
        "charge": account.paid,
        "amount": "1000",
        "reason": "requested_by_customer",
        "metadata[deskgraph_key]": "k:1",
    }
    sent = account.double.headers[-1]
    assert sent["idempotency-key"] == hashlib.sha256(b"k:1").hexdigest()
    assert sent["stripe-version"] == API_VERSION
    assert sent["user-agent"] == "deskgraph"
    assert not any(name.startswith("x-stripe") for name in sent)


def test_what_is_sent_is_known_to_the_sdk() -> None:
    """Its types are Stripe's own description of the pinned version."""
    known = set(stripe.params.RefundCreateParams.__annotations__)
    assert {"charge", "amount", "reason", "metadata"} <= known
    assert {"invoice_now", "prorate"} <= set(stripe.params.SubscriptionCancelParams.__annotations__)
    update = set(stripe.params.SubscriptionUpdateParams.__annotations__)
    assert {"cancel_at_period_end", "metadata"} <= update
    assert stripe.api_version == API_VERSION


@pytest.mark.parametrize("status", [409, 500, 503])
async def test_nothing_is_tried_twice_by_itself(account: StripeAccount, status: int) -> None:
    """Also where Stripe asks for it: the SDK's own retries would book a second refund."""
    asks = {"stripe-should-retry": "true"}
    error = {"error": {"type": "api_error"}}
    account.double.override = lambda: JSONResponse(error, status, asks)
    with pytest.raises(UnavailableError):
        await account.payments.payments(account.customer)
    assert len(account.double.calls) == 1


async def test_twenty_calls_at_once_with_one_key_are_one_refund(account: StripeAccount) -> None:
    """Stripe's key holds off what our look cannot see yet."""
    calls = [account.payments.refund(account.paid, 100, "USD", "r", key="k") for _ in range(20)]
    made = await asyncio.gather(*calls, return_exceptions=True)
    assert len({one["id"] for one in made if isinstance(one, dict)}) == 1
    assert await account.booked() == [100]


async def test_payments_are_read_page_by_page_and_bounded(account: StripeAccount) -> None:
    """Newest first, at most 300."""
    for _ in range(330):
        newest = account.double.charge(account.customer, 100)
    found = await account.payments.payments(account.customer)
    assert (len(found), found[0]["id"]) == (300, newest)
    assert account.double.calls == ["GET /v1/charges"] * 3


async def test_refund_is_found_behind_a_hundred_others(account: StripeAccount) -> None:
    """Stripe lists the newest first."""
    made = await account.payments.refund(account.paid, 100, "USD", "r", key="mine")
    for n in range(120):
        account.double.refunds[f"re_x{n}"] = {
            **account.double.refunds[made["id"]], "id": f"re_x{n}", "metadata": {},
        }  # fmt: skip
    assert await account.payments.find_refund("mine", account.paid) == made


async def test_payment_whose_refunds_have_no_end_is_given_up(account: StripeAccount) -> None:
    """A list that always has more is left after ten pages."""
    made = await account.payments.refund(account.paid, 100, "USD", "r", key="mine")
    listed = {"data": [account.double.refunds[made["id"]]], "has_more": True, "object": "list"}
    account.double.override = lambda: JSONResponse(listed)
    account.double.calls.clear()
    with pytest.raises(UnavailableError, match="more refunds"):
        await account.payments.find_refund("other", account.paid)
    assert len(account.double.calls) == 10


async def test_of_two_refunds_with_a_key_the_one_that_came_to_something_is_found(
    account: StripeAccount,
) -> None:
    """A failed one does not hide it."""
    account.double.status = "failed"
    failed = await account.payments.refund(account.paid, 100, "USD", "r", key="k")
    booked = {**account.double.refunds[failed["id"]], "id": "re_second", "status": "succeeded"}
    account.double.refunds = {"re_second": booked, **account.double.refunds}
    found = await account.payments.find_refund("k", account.paid)
    assert found is not None
    assert found["id"] == "re_second"


async def test_amounts_are_in_the_currencys_own_unit(account: StripeAccount) -> None:
    """500 ISK are 50000 at Stripe; a currency that we cannot write is left out."""
    krona = account.double.charge(account.customer, 50_000, "isk")
    account.double.charge(account.customer, 50_001, "isk")
    found = {p["id"]: p for p in await account.payments.payments(account.customer)}
    assert (found[krona]["amount_minor"], found[krona]["currency"]) == (500, "ISK")
    assert len(found) == 4
    made = await account.payments.refund(krona, 200, "ISK", "r", key="k")
    assert (made["amount_minor"], account.double.refunds[made["id"]]["amount"]) == (200, 20_000)


@pytest.mark.parametrize(
    ("charge", "status", "left"),
    [
        ({"captured": False, "amount_captured": 0}, "pending", 0),
        ({"status": "failed", "captured": False, "amount_captured": 0}, "failed", 0),
        ({"status": "pending", "captured": True}, "pending", 0),
        ({"amount_captured": 3000}, "succeeded", 3000),
    ],
)
async def test_only_what_was_captured_can_be_given_back(
    account: StripeAccount, charge: dict[str, Any], status: str, left: int
) -> None:
    """An authorised or failed payment is shown as such, and its refund is refused."""
    id_ = account.double.charge(account.customer, 4900, **charge)
    [found] = [p for p in await account.payments.payments(account.customer) if p["id"] == id_]
    assert found.get("status") == status
    with pytest.raises(RefusedError):
        await account.payments.refund(id_, left + 1, "USD", "r", key="k")
    assert await account.booked() == []


async def test_disputed_payment_is_refused_in_our_words(account: StripeAccount) -> None:
    """Stripe decides, also after a person agreed."""
    with pytest.raises(RefusedError, match="under dispute"):
        await account.payments.refund(account.disputed, 100, "USD", "r", key="k")


async def test_what_stripe_wrote_is_one_short_line(account: StripeAccount) -> None:
    """A description that a stranger may have chosen."""
    account.double.charge(account.customer, 100, description="Pro\n\n  plan\t" + "x" * 999)
    account.double.charge(
        account.customer, 100, description="  ", calculated_statement_descriptor=None
    )
    newest, older, *_ = await account.payments.payments(account.customer)
    assert newest["description"] == "Payment"
    assert older["description"].startswith("Pro plan xxx")
    assert len(older["description"]) == 200


async def test_cancel_now_takes_no_money_and_gives_none(account: StripeAccount) -> None:
    """First the key, since one that was cancelled cannot be changed; then the end."""
    made = await account.payments.cancel_subscription(account.subscription, "r", key="k")
    assert "ends_at" not in made
    assert account.double.calls[-2:] == [
        f"POST /v1/subscriptions/{account.subscription}",
        f"DELETE /v1/subscriptions/{account.subscription}",
    ]
    assert account.double.subscriptions[account.subscription]["status"] == "canceled"
    assert account.double.subscriptions[account.subscription]["metadata"] == {"deskgraph_key": "k"}


async def test_cancel_at_the_periods_end_lets_it_run_till_then() -> None:
    """One call with key and end; to the customer it is cancelled."""
    async with stripe_account() as account:
        made = await account.payments.cancel_subscription(account.subscription, "r", key="k")
        assert made.get("ends_at") == "2026-12-23T04:26:40+00:00"
        at_stripe = account.double.subscriptions[account.subscription]
        assert (at_stripe["status"], at_stripe["cancel_at_period_end"]) == ("active", True)
        assert account.double.calls[1:] == [f"POST /v1/subscriptions/{account.subscription}"]


async def test_good_key_passes_every_check() -> None:
    """Each in a sentence, and nothing is changed."""
    double = StripeDouble()
    found = await checked(double)
    assert [check.name for check in found if not check.ok] == []
    assert all(check.says.endswith(".") for check in found)
    assert (double.refunds, double.subscriptions) == ({}, {})


@pytest.mark.parametrize(
    ("right", "name"),
    [
        ("charges:read", "Charges and Refunds: read"),
        ("refunds:write", "Charges and Refunds: write"),
        ("subscriptions:read", "Subscriptions: read"),
        ("subscriptions:write", "Subscriptions: write"),
    ],
)
async def test_missing_right_is_named(right: str, name: str) -> None:
    """As the dashboard calls it, and no other."""
    found = await checked(StripeDouble(rights=ALL_RIGHTS - {right}))
    [missing] = [check for check in found if not check.ok]
    assert missing.name == name
    assert LACKS_RIGHT in missing.says


async def test_right_that_is_not_needed_is_named() -> None:
    """It is no reason to stop."""
    found = await checked(StripeDouble(rights=ALL_RIGHTS | {"payouts:read"}))
    [payouts] = [check for check in found if check.name.startswith("Payouts")]
    assert "take that right away" in payouts.says


async def test_dead_key_is_said_once_and_a_missing_secret_too() -> None:
    """After a refused key the other calls would only say it again."""
    found = await checked(StripeDouble(key="rk_test_another"), secret="")
    assert [check.ok for check in found] == [True, False, False]
    assert "refused" in found[1].says
    assert "webhook_secret is not set" in found[2].says


@pytest.mark.parametrize(
    "key", ["sk_live_51AbcDefGh", "pk_live_51AbcDefGh", "", "rk_live_", "rk_live_é" * 9]
)
def test_key_that_may_do_everything_is_not_taken(key: str) -> None:
    """With advice, and without the key in the error."""
    with pytest.raises(ValidationError) as refused:
        StripeCredentials(api_key=SecretStr(key))
    assert "restricted key" in str(refused.value)
    assert len(key) < 9 or key not in str(refused.value)


@pytest.mark.parametrize("key", [RESTRICTED, "rk_test_51AbcDef", "sk_test_51AbcDef"])
def test_key_is_never_shown(key: str) -> None:
    """Nor is it what the credentials print."""
    credentials = StripeCredentials(api_key=SecretStr(key))
    assert key not in repr(credentials)
    assert key not in str(credentials.model_dump())
    assert credentials.live is key.startswith("rk_live_")


@pytest.mark.parametrize(
    "url", ["ftp://x", "https://user@x", "https://x/path", "https://x/?q", "", "x" * 300]
)
def test_base_that_is_no_base_is_not_taken(url: str) -> None:
    """Scheme, host and port."""
    with pytest.raises(ValidationError):
        StripeSettings(api_base=url)


def test_hooks_are_signed_with_the_secret_that_stripe_made() -> None:
    """It takes none of ours, so it stands among the credentials; neither is ever shown."""
    given = StripeCredentials(api_key=SecretStr(RESTRICTED), webhook_secret=SecretStr(SECRET))
    opened = Opened(
        "c", "acme", StripeSettings(), given, HttpClient(make_guard([])), ("whsec_ours",)
    )
    assert list(opened.secrets) == [SECRET, "whsec_ours"]
    assert SECRET not in repr(given)
    body = json.dumps({"id": "evt_1", "object": "event", "type": "refund.failed"})
    sign = stripe.WebhookSignature.generate_signature_header
    assert STRIPE.verify is not None
    headers = {"stripe-signature": cast("str", sign(body, SECRET))}
    assert STRIPE.verify(headers, body.encode(), opened.secrets) == "evt_1"
    for wrong in ("whsec_", "rk_live_51AbcDefGhi", "x" * 300):
        with pytest.raises(ValidationError, match="signing secret"):
            StripeCredentials(api_key=SecretStr(RESTRICTED), webhook_secret=SecretStr(wrong))


async def test_only_allowed_hosts_get_the_key() -> None:
    """The guard of all outside calls stands before this one too."""
    double = StripeDouble()
    with serving(double.app) as url:
        async with HttpClient(make_guard([])) as http:
            credentials = StripeCredentials(api_key=SecretStr(double.key))
            opened = Opened("c", "acme", StripeSettings(api_base=url), credentials, http)
            assert STRIPE.payments is not None
            with pytest.raises(SettingsError):
                await STRIPE.payments(opened).payments("cus_Ann")
    assert double.calls == []
