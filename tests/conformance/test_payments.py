"""Each payment provider that runs without other software passes the laws of the ports."""

from collections.abc import AsyncIterator

import pytest

from app.db.core.connections import Sessions
from tests.conformance.accounts import (
    Account,
    FakeAccount,
    SandboxAccount,
    StripeAccount,
    stripe_account,
)
from tests.conformance.payments import PaymentLaws
from tests.conformance.payments_http import HttpLaws
from tests.conftest import Tenant

pytestmark = pytest.mark.no_articles


class TestFake(PaymentLaws):
    """The provider of other tests."""

    @pytest.fixture
    def account(self) -> Account:
        """A new account."""
        return FakeAccount()


class TestSandbox(PaymentLaws):
    """The sandbox on a real Postgres."""

    @pytest.fixture
    async def account(self, sessions: Sessions, tenant: Tenant) -> Account:
        """A new tenant's."""
        account = SandboxAccount(sessions, tenant.id)
        await account.open()
        return account


class TestStripe(PaymentLaws, HttpLaws):
    """The connector against our double, subscriptions ending with their period."""

    @pytest.fixture
    async def account(self) -> AsyncIterator[StripeAccount]:
        """A new account."""
        async with stripe_account() as account:
            yield account


class TestStripeThatEndsAtOnce(PaymentLaws):
    """The connector against our double, subscriptions ending now."""

    @pytest.fixture
    async def account(self) -> AsyncIterator[Account]:
        """A new account."""
        async with stripe_account(cancel="now") as account:
            yield account
