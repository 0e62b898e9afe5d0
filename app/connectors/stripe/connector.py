"""The connector of Stripe: payments, refunds, subscriptions, and news of refunds."""

from dataclasses import dataclass

from app.connectors.connector import Connector, Opened, Payments
from app.connectors.stripe.checks import test
from app.connectors.stripe.client import open_client
from app.connectors.stripe.hooks import read_hook, verify
from app.connectors.stripe.refunds import StripeBilling
from app.connectors.stripe.settings import StripeCredentials, StripeSettings
from app.connectors.stripe.subscriptions import StripeSubscriptions


@dataclass(frozen=True)
class StripePayments(StripeBilling, StripeSubscriptions, Payments):
    """One Stripe account, bound to a connection."""

    @property
    def repeats_safely(self) -> bool:
        """A refund by its key, a cancellation by what it is."""
        return True


def payments(opened: Opened) -> StripePayments:
    """The payments of a connection."""
    return StripePayments(
        client=open_client(opened), at_period_end=opened.settings.cancel == "period_end"
    )


STRIPE = Connector(
    kind="stripe",
    says="Stripe: payments, refunds and subscriptions, with a restricted key",
    settings=StripeSettings,
    credentials=StripeCredentials,
    test=test,
    verify=verify,
    read_hook=read_hook,
    payments=payments,
)
