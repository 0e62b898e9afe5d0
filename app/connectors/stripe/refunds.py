"""Payments and refunds of one Stripe account."""

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import stripe

from app.connectors.stripe.amounts import UnknownAmountError, from_stripe, to_stripe
from app.connectors.stripe.answers import Charge, Page, moment, read
from app.connectors.stripe.answers import Refund as RefundAnswer
from app.connectors.stripe.client import MissingError, answer_of
from tools.errors import RefusedError, UnavailableError
from tools.models import Payment, PaymentStatus, Refund
from tools.money import format_money
from tools.ports import Billing

PAGE, MAX_PAYMENTS, MAX_REFUND_PAGES = 100, 300, 10
# Where our key stands in an object's metadata, and how long a value may be there.
KEY_FIELD, MAX_KEY = "deskgraph_key", 500
CUSTOMER = re.compile(r"cus_[A-Za-z0-9]{1,64}")
CHARGE = re.compile(r"(?:ch|py)_[A-Za-z0-9]{1,64}")
# Refunds that came to nothing; one that did not is found before them.
NOTHING_CAME_OF = ("failed", "canceled")


def marked(key: str) -> str:
    """The key as it stands in metadata: itself, or its hash when it is too long."""
    return key if len(key) <= MAX_KEY else f"sha256:{hashed(key)}"


def hashed(key: str) -> str:
    """The key as Stripe's Idempotency-Key, which has at most 255 characters."""
    return hashlib.sha256(key.encode()).hexdigest()


def is_customer(customer_id: str) -> bool:
    """Whether it can be a customer at Stripe; anything else is never sent there."""
    return CUSTOMER.fullmatch(customer_id) is not None


@dataclass(frozen=True)
class StripeBilling(Billing):
    """Looks before it gives back: Stripe forgets idempotency keys after a day, its list does not.

    The parameters of a refund follow from its key alone, as Stripe refuses a repeated
    Idempotency-Key with other ones: our free-text reason is not among them.
    """

    client: stripe.StripeClient

    @property
    def repeats_safely(self) -> bool:
        """Stripe books an Idempotency-Key once for at least a day, and older ones are listed."""
        return True

    async def payments(self, customer_id: str) -> list[Payment]:
        """The customer's payments, newest first, at most 300; of no account: none."""
        if not is_customer(customer_id):
            return []
        found: list[Payment] = []
        after: str | None = None
        while len(found) < MAX_PAYMENTS:
            params: stripe.params.ChargeListParams = {"customer": customer_id, "limit": PAGE}
            if after is not None:
                params["starting_after"] = after
            try:
                listed = await answer_of(self.client.v1.charges.list_async(params))
            except MissingError:
                return []
            page = read(Page[Charge], listed)
            found += [payment for charge in page.data if (payment := _payment(charge)) is not None]
            if not page.has_more or not page.data:
                break
            after = page.data[-1].id
        return found[:MAX_PAYMENTS]

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        """Give money back, unless the payment's refunds show that it was done under this key."""
        amount = to_stripe(amount_minor, currency)
        if (known := await self.find_refund(key, payment_id)) is not None:
            return known
        await self._check(payment_id, amount, currency)
        params: stripe.params.RefundCreateParams = {
            "charge": payment_id,
            "amount": amount,
            # Never "fraudulent", which puts the customer's card and e-mail on block lists.
            "reason": "requested_by_customer",
            "metadata": {KEY_FIELD: marked(key)},
        }
        options: stripe.RequestOptions = {"idempotency_key": hashed(key)}
        made = await answer_of(self.client.v1.refunds.create_async(params, options))
        return _refund(read(RefundAnswer, made), payment_id)

    async def find_refund(self, key: str, payment_id: str) -> Refund | None:
        """The refund with our key among those of the payment; one that came to something first."""
        if CHARGE.fullmatch(payment_id) is None:
            raise RefusedError(f"{payment_id} is no payment at Stripe")
        mark = marked(key)
        own = [
            one async for one in self._refunds(payment_id) if one.metadata.get(KEY_FIELD) == mark
        ]
        own.sort(key=lambda one: one.status in NOTHING_CAME_OF)
        return _refund(own[0], payment_id) if own else None

    async def _refunds(self, payment_id: str) -> AsyncIterator[RefundAnswer]:
        """All refunds of the payment; Stripe's search knows no refunds."""
        after: str | None = None
        for _ in range(MAX_REFUND_PAGES):
            params: stripe.params.RefundListParams = {"charge": payment_id, "limit": PAGE}
            if after is not None:
                params["starting_after"] = after
            listed = await answer_of(self.client.v1.refunds.list_async(params))
            page = read(Page[RefundAnswer], listed)
            for one in page.data:
                yield one
            if not page.has_more or not page.data:
                return
            after = page.data[-1].id
        raise UnavailableError(f"payment {payment_id} has more refunds than can be looked through")

    async def _check(self, payment_id: str, amount: int, currency: str) -> None:
        """What Stripe does not check, or only for itself: a refund names no currency."""
        found = await answer_of(self.client.v1.charges.retrieve_async(payment_id))
        charge = read(Charge, found)
        if charge.currency != currency:
            raise RefusedError(f"payment {payment_id} is in {charge.currency}, not {currency}")
        if charge.status != "succeeded" or not charge.captured:
            raise RefusedError(f"payment {payment_id} is not captured")
        if amount > charge.left:
            left = format_money(from_stripe(charge.left, currency), currency)
            raise RefusedError(f"payment {payment_id} has only {left} left to refund")


def _payment(charge: Charge) -> Payment | None:
    """In our words; None for an amount that we cannot write."""
    succeeded = charge.status == "succeeded"
    try:
        paid = from_stripe(charge.taken, charge.currency)
        back = from_stripe(charge.amount_refunded, charge.currency)
    except UnknownAmountError:
        return None
    status: PaymentStatus = charge.status
    if succeeded and not charge.captured:
        status = "pending"
    payment: Payment = {
        "id": charge.id,
        "description": charge.description or charge.calculated_statement_descriptor or "Payment",
        "amount_minor": paid,
        "refunded_minor": back,
        "currency": charge.currency,
        "captured_at": moment(charge.created),
        "status": status,
        "disputed": charge.disputed,
    }
    if charge.also_called:
        payment["also_called"] = charge.also_called
    return payment


def _refund(answer: RefundAnswer, payment_id: str) -> Refund:
    """In our words. Raises UnavailableError for one of another payment or a strange amount."""
    if answer.charge != payment_id:
        raise UnavailableError("Stripe answered with a refund of another payment")
    try:
        amount_minor = from_stripe(answer.amount, answer.currency)
    except UnknownAmountError as error:
        raise UnavailableError(f"Stripe's refund is odd: {error}") from None
    return {
        "id": answer.id,
        "payment_id": payment_id,
        "amount_minor": amount_minor,
        "currency": answer.currency,
        "status": answer.status,
    }
