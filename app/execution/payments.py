"""The payment provider that a run's tools reach: the tenant's connected one, or the sandbox."""

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import TypeVar

from app.adapters.ports.no_account import NoAccount, Unreachable
from app.connectors.connector import Opened, Payments
from app.connectors.errors import CredentialsError, SettingsError
from app.connectors.http import HttpClient
from app.db.connections import queries
from app.db.core.connections import Sessions
from app.db.tables.connections import Connection
from app.errors import DeskgraphError
from app.services.connections.encryption import Vault
from app.services.connections.manage import connector_of, open_connection
from app.services.connections.pausing import pause_connection
from tools.errors import RefusedError, UnavailableError
from tools.models import Cancellation, Payment, Refund, Subscription
from tools.ports import Caller, Ports

T = TypeVar("T")


async def with_payments(
    ports: Ports, sessions: Sessions, vault: Vault, http: HttpClient, caller: Caller
) -> Ports:
    """The ports with the provider that the tenant connected; without one as they are.

    A customer whose account may not be read has none at any provider.
    """
    if not caller.account:
        none = NoAccount()
        return replace(ports, billing=none, subscriptions=none)
    async with sessions.raw_connection() as connection:
        row = await queries.payments_of(connection, caller.tenant_id)
    if row is None:
        return ports
    provider = _provider(sessions, vault, http, row)
    return replace(ports, billing=provider, subscriptions=provider)


def _provider(
    sessions: Sessions, vault: Vault, http: HttpClient, row: Connection
) -> "ConnectedPayments | Unreachable":
    """The connected provider; one that cannot be used is away, so that nothing is decided."""
    if row.paused_because:
        return Unreachable(f"the payment provider is paused: {row.paused_because}")
    try:
        opened = open_connection(row, vault, http)
    except DeskgraphError as error:
        return Unreachable(error.detail)
    make = connector_of(row.kind).payments
    assert make is not None, "its role says so"
    return ConnectedPayments(sessions, opened, make(opened))


@dataclass(frozen=True, slots=True)
class ConnectedPayments(Payments):
    """A connector's payments; credentials that are refused pause the connection, once."""

    sessions: Sessions
    opened: Opened
    inner: Payments

    @property
    def repeats_safely(self) -> bool:
        """As the provider promises."""
        return self.inner.repeats_safely

    async def payments(self, customer_id: str) -> list[Payment]:
        """See Billing."""
        return await self._answer(self.inner.payments(customer_id))

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        """See Billing."""
        call = self.inner.refund(payment_id, amount_minor, currency, reason, key=key)
        return await self._answer(call)

    async def find_refund(self, key: str, payment_id: str) -> Refund | None:
        """See Billing."""
        return await self._answer(self.inner.find_refund(key, payment_id))

    async def subscriptions(self, customer_id: str) -> list[Subscription]:
        """See Subscriptions."""
        return await self._answer(self.inner.subscriptions(customer_id))

    async def cancel_subscription(
        self, subscription_id: str, reason: str, *, key: str
    ) -> Cancellation:
        """See Subscriptions."""
        return await self._answer(self.inner.cancel_subscription(subscription_id, reason, key=key))

    async def find_cancellation(self, key: str, subscription_id: str) -> Cancellation | None:
        """See Subscriptions."""
        return await self._answer(self.inner.find_cancellation(key, subscription_id))

    async def _answer(self, call: Awaitable[T]) -> T:
        """The call's answer; an error of the set-up becomes one that tools know."""
        try:
            return await call
        except CredentialsError as error:
            why, tenant_id = str(error), self.opened.tenant_id
            await pause_connection(self.sessions, self.opened.id, tenant_id, why)
            raise UnavailableError("the payment provider refuses our credentials") from None
        except SettingsError:
            raise RefusedError("the payment provider is not set up right") from None
