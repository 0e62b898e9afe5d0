"""Payments where there is no provider to ask: no account, one that is away, one that is removed."""

from dataclasses import dataclass

from tools.errors import RefusedError, UnavailableError, UnknownOutcomeError
from tools.models import Cancellation, Payment, Refund, Subscription
from tools.ports import Billing, Subscriptions

REMOVED = "the connection of the payment provider was removed"
REFUSAL = "the requester is not verified, so no account is read or changed"


class NoAccount(Billing, Subscriptions):
    """An unverified requester has no payments and no subscriptions, and nothing moves for them."""

    async def payments(self, customer_id: str) -> list[Payment]:
        """None."""
        return []

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        """Refused."""
        raise RefusedError(REFUSAL)

    async def find_refund(self, key: str, payment_id: str) -> Refund | None:
        """None was ever made."""
        return None

    async def subscriptions(self, customer_id: str) -> list[Subscription]:
        """None."""
        return []

    async def cancel_subscription(
        self, subscription_id: str, reason: str, *, key: str
    ) -> Cancellation:
        """Refused."""
        raise RefusedError(REFUSAL)

    async def find_cancellation(self, key: str, subscription_id: str) -> Cancellation | None:
        """None was ever made."""
        return None


@dataclass(frozen=True, slots=True)
class Unreachable(Billing, Subscriptions):
    """A provider that cannot be used now, such as one whose credentials were refused."""

    why: str

    async def payments(self, customer_id: str) -> list[Payment]:
        """Raises UnavailableError."""
        raise UnavailableError(self.why)

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        """Raises UnavailableError."""
        raise UnavailableError(self.why)

    async def find_refund(self, key: str, payment_id: str) -> Refund | None:
        """Raises UnavailableError."""
        raise UnavailableError(self.why)

    async def subscriptions(self, customer_id: str) -> list[Subscription]:
        """Raises UnavailableError."""
        raise UnavailableError(self.why)

    async def cancel_subscription(
        self, subscription_id: str, reason: str, *, key: str
    ) -> Cancellation:
        """Raises UnavailableError."""
        raise UnavailableError(self.why)

    async def find_cancellation(self, key: str, subscription_id: str) -> Cancellation | None:
        """Raises UnavailableError."""
        raise UnavailableError(self.why)


class Removed(Billing, Subscriptions):
    """A provider whose connection was removed: what was begun there can not be looked up, and
    nothing else is asked of it."""

    async def payments(self, customer_id: str) -> list[Payment]:
        """Refused."""
        raise RefusedError(REMOVED)

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        """Refused."""
        raise RefusedError(REMOVED)

    async def find_refund(self, key: str, payment_id: str) -> Refund | None:
        """Raises UnknownOutcomeError."""
        raise UnknownOutcomeError(f"{key} was begun there, and {REMOVED}")

    async def subscriptions(self, customer_id: str) -> list[Subscription]:
        """Refused."""
        raise RefusedError(REMOVED)

    async def cancel_subscription(
        self, subscription_id: str, reason: str, *, key: str
    ) -> Cancellation:
        """Refused."""
        raise RefusedError(REMOVED)

    async def find_cancellation(self, key: str, subscription_id: str) -> Cancellation | None:
        """Raises UnknownOutcomeError."""
        raise UnknownOutcomeError(f"{key} was begun there, and {REMOVED}")
