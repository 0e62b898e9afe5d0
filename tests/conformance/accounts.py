"""What the tests of payment providers need of each of them beside the ports: its books and faults.

A new provider writes one class with these methods and one test class (see test_payments.py).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from fastapi.responses import Response
from pydantic import SecretStr
from sqlalchemy import func, select, update

from app.adapters.ports.sandbox_billing import SandboxBilling
from app.adapters.ports.sandbox_subscriptions import SandboxSubscriptions
from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.connector import Opened, Payments
from app.connectors.http import HttpClient
from app.connectors.stripe.connector import STRIPE
from app.connectors.stripe.settings import StripeCredentials, StripeSettings
from app.db.core.connections import Sessions
from app.db.tables.sandbox import SandboxPayment, SandboxRefund
from tests.doubles.server import serving
from tests.doubles.stripe_double import StripeDouble
from tests.fake_mail import FakeSubscriptions
from tests.fakes import FakeBilling, payment
from tools.errors import UnavailableError
from tools.models import Cancellation, Payment, Refund, Subscription
from tools.ports import Billing, Subscriptions

T = TypeVar("T")
# What a provider may lack; the test is then skipped with the reason that stands in `lacks`.
Feature = Literal["disputes", "statuses", "forgets_keys", "keeps_ends"]


class Account(Protocol):
    """One account with one customer, who paid 49.00 USD twice and has one subscription.

    `disputed` is a third payment of theirs. A fault holds for the next calls of `payments` only.
    """

    customer: str
    stranger: str
    paid: str
    paid_too: str
    disputed: str
    of_stranger: str
    subscription: str
    subscription_of_stranger: str
    lacks: Mapping[Feature, str]

    @property
    def payments(self) -> Payments:
        """The provider as a run's tools have it."""
        ...

    async def booked(self) -> list[int]:
        """The amounts of all refunds in the provider's books, in minor units."""
        ...

    async def fail_writes(self, *, drop: int = 0, lose: int = 0) -> None:
        """So many next writes never arrive; so many after them are done and lose their answer."""
        ...

    async def forget_keys(self) -> None:
        """As if every key so far were older than the provider keeps them."""
        ...

    async def refunds_are(self, status: str) -> None:
        """What becomes of the next refunds."""
        ...


class HttpAccount(Account, Protocol):
    """An account over HTTP, whose answers a test may choose."""

    async def answer_with(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Every call is answered so."""
        ...

    async def be_slow(self) -> None:
        """No call is answered in time."""
        ...


@dataclass
class CutOff(Payments):
    """A provider in this process behind a line that is cut."""

    billing: Billing
    ends: Subscriptions
    drop: int = 0
    lose: int = 0

    @property
    def repeats_safely(self) -> bool:
        return self.billing.repeats_safely and self.ends.repeats_safely

    async def payments(self, customer_id: str) -> list[Payment]:
        return await self.billing.payments(customer_id)

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        return await self._write(
            lambda: self.billing.refund(payment_id, amount_minor, currency, reason, key=key)
        )

    async def find_refund(self, key: str, payment_id: str) -> Refund | None:
        return await self.billing.find_refund(key, payment_id)

    async def subscriptions(self, customer_id: str) -> list[Subscription]:
        return await self.ends.subscriptions(customer_id)

    async def cancel_subscription(
        self, subscription_id: str, reason: str, *, key: str
    ) -> Cancellation:
        return await self._write(
            lambda: self.ends.cancel_subscription(subscription_id, reason, key=key)
        )

    async def find_cancellation(self, key: str, subscription_id: str) -> Cancellation | None:
        return await self.ends.find_cancellation(key, subscription_id)

    async def _write(self, call: Callable[[], Awaitable[T]]) -> T:
        if self.drop:
            self.drop -= 1
            raise UnavailableError("the line is cut")
        answer = await call()
        if self.lose:
            self.lose -= 1
            raise UnavailableError("the line is cut")
        return answer


class InProcess:
    """What providers in this process share: faults of a line, and none of HTTP."""

    lacks: Mapping[Feature, str] = {
        "statuses": "its refunds succeed at once",
        "forgets_keys": "it keeps keys for good",
    }
    customer, stranger = "cus_ann", "cus_bob"
    paid, paid_too, of_stranger = "pay_1001", "pay_1002", "pay_2001"
    subscription, subscription_of_stranger = "sub_1001", "sub_2001"
    line: CutOff

    @property
    def payments(self) -> Payments:
        return self.line

    async def fail_writes(self, *, drop: int = 0, lose: int = 0) -> None:
        self.line.drop, self.line.lose = drop, lose

    async def forget_keys(self) -> None:
        raise AssertionError(self.lacks["forgets_keys"])

    async def refunds_are(self, status: str) -> None:
        raise AssertionError(self.lacks["statuses"])


class FakeAccount(InProcess):
    """The provider of other tests."""

    disputed = "pay_1003"

    def __init__(self) -> None:
        disputed = payment(self.disputed, 4900, "Pro plan")
        disputed["disputed"] = True
        self.billing = FakeBilling(
            {
                self.customer: [
                    payment(self.paid, 4900, "Pro plan"),
                    payment(self.paid_too, 4900, "Pro plan"),
                    disputed,
                ],
                self.stranger: [payment(self.of_stranger, 60_000, "Annual plan")],
            }
        )
        self.line = CutOff(self.billing, FakeSubscriptions())

    subscription_of_stranger = "sub_5001"

    async def booked(self) -> list[int]:
        return [one["amount_minor"] for one in self.billing.refunds.values()]


class SandboxAccount(InProcess):
    """The sandbox on Postgres, with the payments of the demo."""

    disputed = "pay_5001"
    customer, paid, paid_too = "cus_max", "pay_4001", "pay_4002"
    subscription = "sub_4001"

    def __init__(self, sessions: Sessions, tenant_id: str) -> None:
        self.sessions, self.tenant_id = sessions, tenant_id
        self.line = CutOff(
            SandboxBilling(sessions, tenant_id), SandboxSubscriptions(sessions, tenant_id)
        )

    async def open(self) -> None:
        """Make the account of the laws out of the demo's."""
        mine = SandboxPayment.tenant_id == self.tenant_id
        async with self.sessions.begin() as session:
            two = mine & SandboxPayment.id.in_([self.paid, self.paid_too])
            await session.execute(update(SandboxPayment).where(two).values(amount_minor=4900))
            one = mine & (SandboxPayment.id == self.disputed)
            owned = {"customer_id": self.customer, "disputed": True}
            await session.execute(update(SandboxPayment).where(one).values(owned))
            rest = mine & (SandboxPayment.id == "pay_4003")
            await session.execute(update(SandboxPayment).where(rest).values(customer_id="cus_x"))

    async def booked(self) -> list[int]:
        query = select(SandboxRefund.amount_minor).where(SandboxRefund.tenant_id == self.tenant_id)
        async with self.sessions() as session:
            return list(await session.scalars(query.order_by(func.random())))


@dataclass
class StripeAccount:
    """The connector of Stripe; its books are our double's."""

    double: StripeDouble
    payments: Payments
    paid: str
    paid_too: str
    disputed: str
    of_stranger: str
    subscription: str
    subscription_of_stranger: str
    customer: str = "cus_AnnAtStripe"
    stranger: str = "cus_BobAtStripe"
    lacks: Mapping[Feature, str] = field(default_factory=dict)

    async def booked(self) -> list[int]:
        return [one["amount"] for one in self.double.refunds.values()]

    async def fail_writes(self, *, drop: int = 0, lose: int = 0) -> None:
        self.double.drop, self.double.lose = drop, lose

    async def forget_keys(self) -> None:
        self.double.forgets_keys = True

    async def refunds_are(self, status: str) -> None:
        self.double.status = status

    async def answer_with(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.double.override = lambda: Response(body, status, dict(headers), "application/json")

    async def be_slow(self) -> None:
        self.double.hold_seconds = 5


STRIPE_SECONDS = 1.0


@asynccontextmanager
async def opened_at(
    url: str, http_seconds: float = 20, key: str = StripeDouble().key, **settings: Any
) -> AsyncIterator[Opened]:
    """A connection to a Stripe at this URL on loopback."""
    async with HttpClient(make_guard([url.removeprefix("http://")]), http_seconds) as http:
        yield Opened(
            "con_1", "acme", StripeSettings(api_base=url, **settings),
            StripeCredentials(api_key=SecretStr(key)), http, ("whsec_tests",),
        )  # fmt: skip


@asynccontextmanager
async def stripe_account(**settings: Any) -> AsyncIterator[StripeAccount]:
    """The connector, against a new double of ours."""
    double = StripeDouble()
    ann, bob = StripeAccount.customer, StripeAccount.stranger
    paid, paid_too = double.charge(ann, 4900), double.charge(ann, 4900)
    with serving(double.app) as url:
        async with opened_at(url, STRIPE_SECONDS, **settings) as opened:
            assert STRIPE.payments is not None
            yield StripeAccount(
                double=double,
                payments=STRIPE.payments(opened),
                paid=paid,
                paid_too=paid_too,
                disputed=double.charge(ann, 4900, disputed=True),
                of_stranger=double.charge(bob, 60_000),
                subscription=double.subscription(ann),
                subscription_of_stranger=double.subscription(bob),
            )
