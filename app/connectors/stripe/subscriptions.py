"""Subscriptions of one Stripe account, and how they end."""

import re
from dataclasses import dataclass

import stripe

from app.connectors.stripe.amounts import UnknownAmountError, from_stripe
from app.connectors.stripe.answers import Page, moment, read
from app.connectors.stripe.answers import Subscription as Answer
from app.connectors.stripe.client import MissingError, answer_of
from app.connectors.stripe.refunds import KEY_FIELD, PAGE, is_customer, marked
from tools.errors import RefusedError, UnavailableError
from tools.models import Cancellation, Subscription
from tools.ports import Subscriptions

SUBSCRIPTION = re.compile(r"sub_[A-Za-z0-9]{1,64}")


@dataclass(frozen=True)
class StripeSubscriptions(Subscriptions):
    """Ends them now, or at the end of the period that is paid, as the connection says.

    To end what has ended changes nothing at Stripe, so no Idempotency-Key is sent: it would only
    keep the answer of a failed try. Our key in the metadata says who ended it.
    """

    client: stripe.StripeClient
    at_period_end: bool

    @property
    def repeats_safely(self) -> bool:
        """A subscription ends once, however often it is asked to."""
        return True

    async def subscriptions(self, customer_id: str) -> list[Subscription]:
        """The customer's newest 100, those that ended included; of no account: none."""
        if not is_customer(customer_id):
            return []
        params: stripe.params.SubscriptionListParams = {
            "customer": customer_id, "status": "all", "limit": PAGE,
        }  # fmt: skip
        try:
            listed = await answer_of(self.client.v1.subscriptions.list_async(params))
        except MissingError:
            return []
        page = read(Page[Answer], listed)
        return [one for found in page.data if (one := _subscription(found)) is not None]

    async def cancel_subscription(
        self, subscription_id: str, reason: str, *, key: str
    ) -> Cancellation:
        """End it, unless it was ended under this key."""
        found = await self._retrieve(subscription_id)
        if _ended_by(found, key):
            return _cancellation(found)
        if found.over:
            raise RefusedError(f"subscription {subscription_id} has ended or is about to")
        if self.at_period_end:
            return _cancellation(await self._update(subscription_id, key, at_period_end=True))
        # First the key: one that was cancelled cannot be changed any more.
        await self._update(subscription_id, key, at_period_end=False)
        params: stripe.params.SubscriptionCancelParams = {"invoice_now": False, "prorate": False}
        ended = self.client.v1.subscriptions.cancel_async(subscription_id, params)
        return _cancellation(read(Answer, await answer_of(ended)))

    async def find_cancellation(self, key: str, subscription_id: str) -> Cancellation | None:
        """The subscription's end, if it has ended and carries our key."""
        found = await self._retrieve(subscription_id)
        return _cancellation(found) if _ended_by(found, key) else None

    async def _retrieve(self, subscription_id: str) -> Answer:
        if SUBSCRIPTION.fullmatch(subscription_id) is None:
            raise RefusedError(f"{subscription_id} is no subscription at Stripe")
        found = self.client.v1.subscriptions.retrieve_async(subscription_id)
        return read(Answer, await answer_of(found))

    async def _update(self, subscription_id: str, key: str, *, at_period_end: bool) -> Answer:
        params: stripe.params.SubscriptionUpdateParams = {"metadata": {KEY_FIELD: marked(key)}}
        if at_period_end:
            params["cancel_at_period_end"] = True
        changed = self.client.v1.subscriptions.update_async(subscription_id, params)
        return read(Answer, await answer_of(changed))


def _ended_by(found: Answer, key: str) -> bool:
    return found.over and found.metadata.get(KEY_FIELD) == marked(key)


def _subscription(found: Answer) -> Subscription | None:
    """In our words; None for prices of several currencies, or that we cannot write."""
    currencies = {item.price.currency for item in found.items.data}
    if len(currencies) != 1:
        return None
    [currency] = currencies
    price = sum((item.price.unit_amount or 0) * item.quantity for item in found.items.data)
    try:
        amount_minor = from_stripe(price, currency)
    except UnknownAmountError:
        return None
    renews = None if found.over else found.period_ends
    return {
        "id": found.id,
        "description": _name(found),
        "status": "cancelled" if found.over else "active",
        "amount_minor": amount_minor,
        "currency": currency,
        "renews_at": None if renews is None else moment(renews),
    }


def _name(found: Answer) -> str:
    """What the tenant calls it."""
    prices = [item.price for item in found.items.data]
    names = [price.nickname or price.lookup_key for price in prices]
    return found.description or " + ".join(name for name in names if name)[:200] or "Subscription"


def _cancellation(found: Answer) -> Cancellation:
    """In our words. Raises UnavailableError when it has not ended after all."""
    if not found.over:
        raise UnavailableError("Stripe answered with a subscription that goes on")
    made: Cancellation = {
        "id": found.id,
        "subscription_id": found.id,
        "description": _name(found),
    }
    if not found.ended and found.period_ends is not None:
        made["ends_at"] = moment(found.period_ends)
    return made
