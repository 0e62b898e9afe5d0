"""A payment provider that is swapped while the end of a refund there is unknown.

It is looked up where it was begun, and never made again at another provider.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.http import HttpClient
from app.db.core.connections import Sessions
from app.db.runs.queries import get_run
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.errors import ConnectionInUseError
from app.execution.payments import with_payments
from app.services.connections import manage
from app.services.connections.encryption import Vault
from graphs.policy import Policy
from tests.conftest import ENCRYPTION_KEY, Tenant
from tests.doubles.server import serving
from tests.doubles.stripe_double import StripeDouble
from tests.integration.boxes import sandbox, toolbox_on
from tests.integration.conftest import Begin
from tools.errors import RefusedError, UnavailableError, UnknownOutcomeError
from tools.ports import Caller, Ports

pytestmark = pytest.mark.no_articles
AUTO = Policy(refund_auto_limit={"USD": 50_000})
VAULT = Vault([ENCRYPTION_KEY])


@dataclass(slots=True)
class Till:
    """A tenant with two accounts at Stripe, both of which hold the same payment."""

    sessions: Sessions
    caller: Caller
    http: HttpClient
    urls: list[str]
    accounts: list[StripeDouble]
    paid: str
    connected: str = field(default="")

    async def connect(self, account: int) -> None:
        """Let this account be the tenant's provider."""
        async with self.sessions.begin() as session:
            row, _ = await manage.add(
                session, VAULT, self.caller.tenant_id, "stripe", "Stripe",
                {"api_base": self.urls[account]}, {"api_key": self.accounts[account].key},
            )  # fmt: skip
            self.connected = row.id

    async def remove(self, *, force: bool) -> None:
        """Remove the provider."""
        async with self.sessions.begin() as session:
            await manage.remove(session, self.caller.tenant_id, self.connected, force=force)

    async def ports(self) -> Ports:
        """What a run that is claimed now reaches."""
        own = sandbox(self.sessions, self.caller)
        return await with_payments(own, self.sessions, VAULT, self.http, self.caller)

    async def refund(self, ports: Ports | None = None, payment: str = "") -> Any:
        """What the toolbox answers."""
        found = ports or await self.ports()
        args = {
            "payment_id": payment or self.paid, "amount_minor": 700, "currency": "USD",
            "reason": "r",
        }  # fmt: skip
        box = toolbox_on(found, self.sessions, self.caller, AUTO)
        return await box.call("refund_payment", args)

    async def entry(self) -> LedgerEntry:
        """The refund's row of the ledger."""
        async with self.sessions() as session:
            query = select(LedgerEntry).where(LedgerEntry.tenant_id == self.caller.tenant_id)
            return (await session.scalars(query)).one()

    def booked(self) -> list[int]:
        """How many refunds each account has."""
        return [len(account.refunds) for account in self.accounts]


@pytest.fixture
async def till(sessions: Sessions, tenant: Tenant, begin: Begin) -> AsyncIterator[Till]:
    """A new one; the first account is connected."""
    accounts = [StripeDouble(key=f"rk_test_51Account{n}") for n in range(2)]
    paid = [account.charge("cus_max", 4900) for account in accounts]
    assert paid[0] == paid[1]
    async with AsyncExitStack() as stack:
        urls = [stack.enter_context(serving(account.app)) for account in accounts]
        ports = [f"127.0.0.1:{urlsplit(url).port}" for url in urls]
        http = await stack.enter_async_context(HttpClient(make_guard(ports)))
        made = Till(sessions, await begin(), http, urls, accounts, paid[0])
        await made.connect(0)
        yield made


async def lost(till: Till) -> None:
    """A refund whose answer was lost."""
    till.accounts[0].lose = 1
    with pytest.raises(UnavailableError):
        await till.refund()
    assert (await till.entry()).status == "started"


async def test_provider_is_kept_while_the_end_of_a_refund_is_unknown(till: Till) -> None:
    """Removed only once it said how that ended; the run finds it there."""
    await lost(till)
    with pytest.raises(ConnectionInUseError, match="1 refunds"):
        await till.remove(force=False)
    assert (await till.refund())["amount_minor"] == 700
    assert till.booked() == [1, 0]
    await till.remove(force=False)


async def test_refund_of_a_removed_provider_is_never_made_at_the_next_one(till: Till) -> None:
    """It is unknown how it ended, so a person must look; the row stays `started`."""
    await lost(till)
    await till.remove(force=True)
    await till.connect(1)
    for _ in range(2):
        with pytest.raises(UnknownOutcomeError):
            await till.refund()
    assert till.booked() == [1, 0]
    assert not any(call.startswith("POST") for call in till.accounts[1].calls)
    assert (await till.entry()).status == "started"


async def test_refund_begun_in_the_sandbox_is_looked_up_there(till: Till) -> None:
    """Also when Stripe was connected since, which knows nothing of it."""
    await till.remove(force=False)
    ports = await till.ports()
    booked = await till.refund(ports, payment="pay_4001")
    async with till.sessions.begin() as session:
        entry = (
            await session.scalars(
                select(LedgerEntry).where(LedgerEntry.tenant_id == till.caller.tenant_id)
            )
        ).one()
        entry.status, entry.result, entry.finished_at = "started", None, None
    await till.connect(1)
    assert await till.refund(payment="pay_4001") == booked
    assert not any("refunds" in call for call in till.accounts[1].calls)


async def test_nothing_begins_at_a_provider_that_was_removed_since(till: Till) -> None:
    """The run had been claimed before, and holds its credentials still."""
    ports = await till.ports()
    await till.remove(force=False)
    with pytest.raises(RefusedError, match="removed meanwhile"):
        await till.refund(ports)
    assert till.booked() == [0, 0]
    async with till.sessions() as session:
        assert await get_run(session, till.caller.tenant_id, till.caller.run_id) is not None


async def test_ledger_names_the_provider_of_what_is_done_there(till: Till) -> None:
    """Of nothing else: a reply may be repeated whatever is connected."""
    await till.refund()
    assert (await till.entry()).connection_id == till.connected
