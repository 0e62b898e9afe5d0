"""A sandbox payment provider: real rows, real limits, no real money."""

from dataclasses import dataclass
from datetime import UTC
from typing import cast
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.core.connections import Sessions
from app.db.tables.sandbox import SandboxPayment, SandboxRefund
from tools.errors import RefusedError
from tools.models import Payment, PaymentStatus, Refund, RefundStatus
from tools.ports import Billing


@dataclass(frozen=True, slots=True)
class SandboxBilling(Billing):
    """Keeps its books in `sandbox_*`; one refund per idempotency key, never above the capture."""

    sessions: Sessions
    tenant_id: str

    @property
    def repeats_safely(self) -> bool:
        """A key is a row of its own for good, written with what it does."""
        return True

    async def payments(self, customer_id: str) -> list[Payment]:
        """The customer's captured payments, oldest first."""
        query = (
            select(SandboxPayment)
            .where(
                SandboxPayment.tenant_id == self.tenant_id,
                SandboxPayment.customer_id == customer_id,
            )
            .order_by(SandboxPayment.captured_at, SandboxPayment.id)
        )
        async with self.sessions() as session:
            return [_payment(row) for row in await session.scalars(query)]

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        """Book a refund; the row of the key and the sum on the payment change together."""
        async with self.sessions.begin() as session:
            row = insert(SandboxRefund).values(
                tenant_id=self.tenant_id,
                idempotency_key=key,
                id=f"re_{uuid4().hex[:16]}",
                payment_id=await self._known(session, payment_id, currency),
                amount_minor=amount_minor,
                currency=currency,
                reason=reason,
            )
            booked = row.on_conflict_do_nothing().returning(SandboxRefund)
            if (new := (await session.scalars(booked)).one_or_none()) is None:
                return _refund(await self._by_key(session, key))
            await self._give_back(session, payment_id, amount_minor)
            return _refund(new)

    async def find_refund(self, key: str, payment_id: str) -> Refund | None:
        """The refund of an idempotency key, if the provider ever booked it on this payment."""
        async with self.sessions() as session:
            found = await session.get(SandboxRefund, (self.tenant_id, key))
        return _refund(found) if found and found.payment_id == payment_id else None

    async def _by_key(self, session: AsyncSession, key: str) -> SandboxRefund:
        return await session.get_one(SandboxRefund, (self.tenant_id, key))

    async def _known(self, session: AsyncSession, payment_id: str, currency: str) -> str:
        payment = await session.get(SandboxPayment, (self.tenant_id, payment_id))
        if payment is None or payment.currency != currency:
            raise RefusedError(f"the provider knows no {currency} payment {payment_id}")
        if payment.status != "succeeded":
            raise RefusedError(f"payment {payment_id} is {payment.status}")
        return payment.id

    async def _give_back(self, session: AsyncSession, payment_id: str, amount_minor: int) -> None:
        query = (
            update(SandboxPayment)
            .where(
                SandboxPayment.tenant_id == self.tenant_id,
                SandboxPayment.id == payment_id,
                SandboxPayment.refunded_minor + amount_minor <= SandboxPayment.amount_minor,
            )
            .values(refunded_minor=SandboxPayment.refunded_minor + amount_minor)
            .returning(SandboxPayment.id)
        )
        if (await session.scalars(query)).one_or_none() is None:
            raise RefusedError(f"payment {payment_id} has less than that left to refund")


def _payment(row: SandboxPayment) -> Payment:
    return {
        "id": row.id,
        "description": row.description,
        "amount_minor": row.amount_minor,
        "refunded_minor": row.refunded_minor,
        "currency": row.currency,
        "captured_at": row.captured_at.astimezone(UTC).isoformat(),
        "status": cast("PaymentStatus", row.status),
        "disputed": row.disputed,
    }


def _refund(row: SandboxRefund) -> Refund:
    return {
        "id": row.id,
        "payment_id": row.payment_id,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "status": cast("RefundStatus", row.status),
    }
