"""The payment provider that a run's tools reach: the tenant's connected one, or the sandbox.

A call of unknown end is looked up where it was begun, whatever is connected now: the ledger's row
names that provider. The toolbox never makes it again at another one.
"""

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import TypeVar

from app.adapters.effects.ledger import PostgresLedger
from app.adapters.ports.no_account import NoAccount, Removed, Unreachable
from app.connectors.connector import Payments
from app.connectors.errors import CredentialsError, SettingsError
from app.connectors.http import HttpClient
from app.db.connections import queries
from app.db.core.connections import Sessions
from app.db.effects import ledger
from app.db.tables.connections import Connection
from app.errors import DeskgraphError
from app.services.connections.encryption import Vault
from app.services.connections.manage import connector_of, open_connection
from app.services.connections.pausing import pause_connection
from tools.errors import RefusedError, UnavailableError
from tools.models import Cancellation, Payment, Refund, Subscription
from tools.ports import Caller, Ports, Provider

T = TypeVar("T")
REMOVED = Removed()


async def with_payments(
    ports: Ports,
    sessions: Sessions,
    vault: Vault,
    http: HttpClient,
    caller: Caller,
    *,
    connected: bool = True,
) -> Ports:
    """The ports with the provider that the tenant connected; without one as they are.

    `connected` is False where it is known that the tenant has none. A customer whose account may
    not be read has none at any provider.
    """
    if not caller.account:
        none = NoAccount()
        return replace(ports, billing=none, subscriptions=none)
    row = await _connected(sessions, caller.tenant_id) if connected else None

    async def begun_at(key: str) -> Provider:
        async with sessions.raw_connection() as connection:
            entry = await ledger.get_entry(connection, caller.tenant_id, key)
            name = entry.connection_id if entry else row and row.id
            known = name and await queries.any_of_tenant(connection, caller.tenant_id, name)
        if not name:
            return sandbox
        return _provider(sessions, vault, http, known) if known else Provider(REMOVED, REMOVED)

    sandbox = Provider(ports.billing, ports.subscriptions)
    now = _provider(sessions, vault, http, row) if row else sandbox
    kept = ports.ledger
    if row is not None and isinstance(kept, PostgresLedger):
        kept = replace(kept, provider=row.id)
    return replace(
        ports,
        billing=now.billing,
        subscriptions=now.subscriptions,
        ledger=kept,
        begun_at=begun_at,
    )


async def _connected(sessions: Sessions, tenant_id: str) -> Connection | None:
    async with sessions.raw_connection() as connection:
        return await queries.payments_of(connection, tenant_id)


def _provider(sessions: Sessions, vault: Vault, http: HttpClient, row: Connection) -> Provider:
    """A connected provider; one that cannot be used is away, so that nothing is decided."""
    found = _payments(sessions, vault, http, row)
    return Provider(found, found)


def _payments(
    sessions: Sessions, vault: Vault, http: HttpClient, row: Connection
) -> "ConnectedPayments | Unreachable | Removed":
    if row.removed_at is not None:
        return REMOVED
    if row.paused_because:
        return Unreachable(f"the payment provider is paused: {row.paused_because}")
    try:
        opened = open_connection(row, vault, http)
    except DeskgraphError as error:
        return Unreachable(error.detail)
    make = connector_of(row.kind).payments
    assert make is not None, "its role says so"
    return ConnectedPayments(sessions, row, make(opened))


@dataclass(frozen=True, slots=True)
class ConnectedPayments(Payments):
    """A connector's payments; credentials that are refused pause the connection, once."""

    sessions: Sessions
    row: Connection
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
            await pause_connection(self.sessions, self.row, str(error))
            raise UnavailableError("the payment provider refuses our credentials") from None
        except SettingsError:
            raise RefusedError("the payment provider is not set up right") from None
