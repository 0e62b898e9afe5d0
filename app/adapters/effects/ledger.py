"""The ledger: written before and after every effect, and the fence around a lost run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.effects.ownership import check_fence, check_silence, hold_still
from app.db.connections import queries as connections
from app.db.core.compiled import Executor
from app.db.core.connections import Sessions
from app.db.effects import ledger
from app.db.effects.approvals import money_in_open_plans
from app.db.tables.approvals_and_ledger import LedgerEntry
from tools.errors import ApprovalRequiredError, RefusedError
from tools.ledger import Call, Entry, Permit
from tools.models import JsonObject, RecentRefund
from tools.ports import Caller

Status = Literal["started", "done", "failed"]


@dataclass(frozen=True, slots=True)
class PostgresLedger:
    """Business keys are unique within the tenant, over all its runs.

    `provider` is the connection of the payment provider that the run uses; None is the sandbox.
    """

    sessions: Sessions
    caller: Caller
    provider: str | None = field(default=None, kw_only=True)

    async def begin(self, call: Call, permit: Permit | None) -> Entry:
        """Fences, allowance and `started` row in one transaction."""
        async with self._transaction(call, permit) as executor:
            await hold_still(executor, self.caller, call, permit)
            if not isinstance(executor, AsyncSession) and await self._start_at_once(executor, call):
                return Entry("started", fresh=True)
            await check_fence(executor, self.caller)
            known = await ledger.get_entry(executor, self.caller.tenant_id, call.key)
            begins = known is None or known.status == "failed"
            if begins:
                # What has begun goes on: whether it left is not known.
                await check_silence(executor, self.caller, call, permit)
            if begins and isinstance(executor, AsyncSession):
                await self._hold(executor, call, permit)
            if await self._start(executor, call, permit):
                return Entry("started", fresh=True)
            row = await ledger.get_entry(executor, self.caller.tenant_id, call.key)
        assert row is not None, "a key that could not be started is known"
        elsewhere = call.at_provider and row.connection_id != self.provider
        return replace(self._entry(row), elsewhere=elsewhere)

    @asynccontextmanager
    async def _transaction(self, call: Call, permit: Permit | None) -> AsyncIterator[Executor]:
        """A session where there is a provider or an allowance to hold; every reply has neither."""
        if call.at_provider or permit:
            async with self.sessions.begin() as session:
                yield session
        else:
            async with self.sessions.raw_connection() as connection, connection.transaction():
                yield connection

    async def _hold(self, session: AsyncSession, call: Call, permit: Permit | None) -> None:
        if call.at_provider:
            await self._hold_provider(session)
        if permit:
            await self._spend(session, call, permit)

    async def _hold_provider(self, session: AsyncSession) -> None:
        """Keep the provider from being removed until the call is written down.

        Raises RefusedError when it was removed since the run was claimed.
        """
        if self.provider is None:
            return
        if not await connections.hold(session, self.caller.tenant_id, self.provider):
            raise RefusedError("the payment provider was removed meanwhile, nothing was tried")

    def _entry(self, row: LedgerEntry) -> Entry:
        status = cast("Status", row.status)
        own = row.run_id in (self.caller.run_id, *self.caller.replayed)
        return Entry(status, fresh=False, result=row.result, error=row.error, own=own)

    async def _spend(self, session: AsyncSession, call: Call, permit: Permit) -> None:
        """Hold the customer's allowance until the row is there: parallel runs cannot share it."""
        if permit.limit_minor is None and permit.below_minor is None:
            return
        tenant_id, customer_id = self.caller.tenant_id, self.caller.customer_id
        await ledger.lock_customer(session, tenant_id, customer_id)
        currency, wanted = call.currency or "", call.amount_minor or 0
        if permit.limit_minor is not None:
            total = (await self._committed(session)).get(currency, 0) + wanted
            if total > permit.limit_minor:
                limit = permit.limit_minor
                raise ApprovalRequiredError(f"{total} in 24 hours exceeds the limit of {limit}")
            payment = call.args.get("payment_id")
            if any(one["payment_id"] == payment for one in await self._elsewhere(session)):
                raise ApprovalRequiredError(f"money of {payment} went back in another ticket")
        if permit.below_minor is not None:
            given = await ledger.refunded_24h(session, tenant_id, customer_id)
            total = given.get(currency, 0) + wanted
            if total >= permit.below_minor:
                raise ApprovalRequiredError(f"{total} in 24 hours needs two people, one agreed")

    async def _start(self, executor: Executor, call: Call, permit: Permit | None) -> bool:
        return await ledger.start_entry(executor, **self._row(call, permit))

    async def _start_at_once(self, executor: Executor, call: Call) -> bool:
        own = (self.caller.attempt, self.caller.ticket_id)
        return await ledger.start_at_once(executor, *own, **self._row(call, None))

    def _row(self, call: Call, permit: Permit | None) -> dict[str, Any]:
        return {
            "tenant_id": self.caller.tenant_id,
            "key": call.key,
            "run_id": self.caller.run_id,
            "customer_id": self.caller.customer_id,
            "tool": call.tool,
            "step_id": call.step_id,
            "approval_id": permit.approval_id if permit else None,
            "args": call.args,
            "amount_minor": call.amount_minor,
            "currency": call.currency,
            "connection_id": self.provider if call.at_provider else None,
        }

    async def find(self, key: str) -> Entry | None:
        """The key's row as it stands."""
        async with self.sessions.raw_connection() as connection:
            row = await ledger.get_entry(connection, self.caller.tenant_id, key)
        return self._entry(row) if row else None

    async def finish(self, key: str, result: JsonObject) -> None:
        """started -> done."""
        async with self.sessions.raw_connection() as connection:
            await ledger.end_entry(connection, self.caller.tenant_id, key, "done", result=result)

    async def fail(self, key: str, error: str) -> None:
        """started -> failed: the outside system refused, so nothing happened."""
        async with self.sessions.raw_connection() as connection:
            await ledger.end_entry(connection, self.caller.tenant_id, key, "failed", error=error)

    async def refunded_24h(self) -> dict[str, int]:
        """What the run's customer got back in the last 24 hours, or waits for elsewhere."""
        async with self.sessions() as session:
            return await self._committed(session)

    async def refunded_elsewhere(self) -> list[RecentRefund]:
        """The refunds that the run's customer got in other tickets in the last 7 days."""
        async with self.sessions() as session:
            return await self._elsewhere(session)

    async def _elsewhere(self, session: AsyncSession) -> list[RecentRefund]:
        tenant_id, customer_id = self.caller.tenant_id, self.caller.customer_id
        return await ledger.refunded_elsewhere(
            session, tenant_id, customer_id, self.caller.ticket_id
        )

    async def _committed(self, session: AsyncSession) -> dict[str, int]:
        """Given back in 24 hours, and waiting in the plans of the customer's other runs."""
        tenant_id, customer_id = self.caller.tenant_id, self.caller.customer_id
        given = await ledger.refunded_24h(session, tenant_id, customer_id)
        waiting = await money_in_open_plans(session, tenant_id, customer_id, self.caller.run_id)
        return {code: given.get(code, 0) + waiting.get(code, 0) for code in given | waiting}
