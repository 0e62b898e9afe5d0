"""The laws of a payment provider over HTTP: what it may answer besides, and how that ends."""

import time

import pytest

from app.connectors.errors import CredentialsError
from tests.conformance.accounts import HttpAccount
from tests.conformance.payments import Desk
from tools.errors import RefusedError, UnavailableError

PATIENCE_SECONDS = 4
# What stands in the place of an answer: no JSON, no object, other objects, and too much of it.
MALFORMED = (
    b"",
    b"<html>502</html>",
    b"[]",
    b'"ok"',
    b"{}",
    b'{"data": 5}',
    b'{"data": [5]}',
    b'{"object": "list", "data": [{"id": 7}], "has_more": true}',
    b'{"object": "refund", "id": null, "charge": {}, "amount": "1", "metadata": 3}',
    b'{"id": "x", "id": "y"}',
    b"[" * 40_000,
    b'{"data": "' + b"x" * 2_100_000 + b'"}',
)


class HttpLaws:
    """What a provider over HTTP may answer besides."""

    @pytest.mark.parametrize("status", [429, 503])
    async def test_rate_limit_says_when_to_come_again(
        self, account: HttpAccount, status: int
    ) -> None:
        """In seconds, as the provider named them."""
        body = b'{"error": {"type": "invalid_request_error", "code": "rate_limit"}}'
        await account.answer_with(status, body, {"retry-after": "7"})
        with pytest.raises(UnavailableError) as refused:
            await account.payments.payments(account.customer)
        assert refused.value.retry_after == 7

    async def test_wrong_token_is_no_weather(self, account: HttpAccount) -> None:
        """The connection is paused, not tried again; and the error names no key."""
        body = b'{"error": {"type": "invalid_request_error", "message": "rk_test_51Deskgraph"}}'
        await account.answer_with(401, body, {})
        for call in (
            account.payments.payments(account.customer),
            account.payments.refund(account.paid, 100, "USD", "r", key="k"),
            account.payments.subscriptions(account.customer),
        ):
            with pytest.raises(CredentialsError) as refused:
                await call
            assert "rk_" not in str(refused.value)

    async def test_missing_right_is_refused_in_our_words(self, account: HttpAccount) -> None:
        """Nothing happened, and no word of the provider's is repeated."""
        body = b'{"error": {"type": "invalid_request_error", "message": "SECRET rk_live_abc"}}'
        await account.answer_with(403, body, {})
        with pytest.raises(RefusedError) as refused:
            await account.payments.refund(account.paid, 100, "USD", "r", key="k")
        assert "right" in str(refused.value)
        assert "SECRET" not in str(refused.value)

    @pytest.mark.parametrize("status", [409, 500, 502])
    async def test_broken_or_busy_provider_leaves_the_end_unknown(
        self, account: HttpAccount, status: int
    ) -> None:
        """Neither done nor refused."""
        await account.answer_with(status, b'{"error": {"type": "api_error"}}', {})
        desk = Desk(account)
        with pytest.raises((UnavailableError, RefusedError)):
            await desk.refund(account.paid)
        with pytest.raises(UnavailableError):
            await account.payments.refund(account.paid, 100, "USD", "r", key="k")

    async def test_slow_provider_is_given_up(self, account: HttpAccount) -> None:
        """In bounded time, and the end is unknown."""
        await account.be_slow()
        begun = time.monotonic()
        with pytest.raises(UnavailableError):
            await account.payments.payments(account.customer)
        assert time.monotonic() - begun < PATIENCE_SECONDS

    @pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
    @pytest.mark.parametrize("status", [200, 400, 404])
    async def test_malformed_answer_is_none(
        self, account: HttpAccount, body: bytes, status: int
    ) -> None:
        """Every call ends as unanswered, by no other error."""
        await account.answer_with(status, body, {})
        for call in (
            account.payments.payments(account.customer),
            account.payments.refund(account.paid, 100, "USD", "r", key="k"),
            account.payments.find_refund("k", account.paid),
            account.payments.subscriptions(account.customer),
            account.payments.cancel_subscription(account.subscription, "r", key="k"),
            account.payments.find_cancellation("k", account.subscription),
        ):
            with pytest.raises(UnavailableError):
                await call
