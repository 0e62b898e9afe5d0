"""Subscriptions at the sandbox payment provider."""

from dataclasses import dataclass
from datetime import UTC
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.connections import Sessions
from app.db.tables.sandbox import SandboxCancellation, SandboxSubscription
from tools.errors import RefusedError
from tools.models import Cancellation, Subscription
from tools.ports import Subscriptions


@dataclass(frozen=True, slots=True)
class SandboxSubscriptions(Subscriptions):
    """Keeps its books in `sandbox_*`; one cancellation per idempotency key and subscription."""

    sessions: Sessions
    tenant_id: str

    @property
    def repeats_safely(self) -> bool:
        """A key is a row of its own for good, written with what it does."""
        return True

    async def subscriptions(self, customer_id: str) -> list[Subscription]:
        """The customer's subscriptions by id, cancelled ones included."""
        query = (
            select(SandboxSubscription)
            .where(
                SandboxSubscription.tenant_id == self.tenant_id,
                SandboxSubscription.customer_id == customer_id,
            )
            .order_by(SandboxSubscription.id)
        )
        async with self.sessions() as session:
            return [_subscription(row) for row in await session.scalars(query)]

    async def cancel_subscription(
        self, subscription_id: str, reason: str, *, key: str
    ) -> Cancellation:
        """End it; the row of the key and the subscription's status change together."""
        async with self.sessions.begin() as session:
            if (known := await self._by_key(session, key)) is not None:
                return known
            await self._end(session, subscription_id)
            await session.execute(
                insert(SandboxCancellation)
                .values(
                    tenant_id=self.tenant_id,
                    idempotency_key=key,
                    id=f"can_{uuid4().hex[:16]}",
                    subscription_id=subscription_id,
                    reason=reason,
                )
            )  # fmt: skip
            booked = await self._by_key(session, key)
        assert booked is not None, "it was booked in this transaction"
        return booked

    async def find_cancellation(self, key: str, subscription_id: str) -> Cancellation | None:
        """The cancellation of an idempotency key, if the provider ever booked it on this one."""
        async with self.sessions() as session:
            found = await self._by_key(session, key)
        return found if found and found["subscription_id"] == subscription_id else None

    async def _end(self, session: AsyncSession, subscription_id: str) -> None:
        """active -> cancelled, once; of two at the same instant the second finds it gone."""
        query = (
            update(SandboxSubscription)
            .where(
                SandboxSubscription.tenant_id == self.tenant_id,
                SandboxSubscription.id == subscription_id,
                SandboxSubscription.status == "active",
            )
            .values(status="cancelled", renews_at=None)
            .returning(SandboxSubscription.id)
        )
        if (await session.scalars(query)).one_or_none() is None:
            raise RefusedError(f"the provider has no active subscription {subscription_id}")

    async def _by_key(self, session: AsyncSession, key: str) -> Cancellation | None:
        query = (
            select(SandboxCancellation, SandboxSubscription.description)
            .join(
                SandboxSubscription,
                (SandboxSubscription.tenant_id == SandboxCancellation.tenant_id)
                & (SandboxSubscription.id == SandboxCancellation.subscription_id),
            )
            .where(
                SandboxCancellation.tenant_id == self.tenant_id,
                SandboxCancellation.idempotency_key == key,
            )
        )
        found = (await session.execute(query)).one_or_none()
        if found is None:
            return None
        row, description = found
        return {"id": row.id, "subscription_id": row.subscription_id, "description": description}


def _subscription(row: SandboxSubscription) -> Subscription:
    return {
        "id": row.id,
        "description": row.description,
        "status": "active" if row.status == "active" else "cancelled",
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "renews_at": row.renews_at.astimezone(UTC).isoformat() if row.renews_at else None,
    }
