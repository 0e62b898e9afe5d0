"""What a Stripe connection's `test` finds: which rights the key has, and which it lacks."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import stripe

from app.connectors.connector import Check, Opened
from app.connectors.errors import ConnectorError
from app.connectors.stripe.answers import Page, Shape, read
from app.connectors.stripe.client import LACKS_RIGHT, answer_of, open_client
from tools.errors import RefusedError, UnavailableError

# Objects that no account has: to change them is refused before anything happens.
NO_CHARGE, NO_SUBSCRIPTION = "ch_deskgraphtest", "sub_deskgraphtest"


@dataclass(frozen=True, slots=True)
class Right:
    """A right of the key, by its name in Stripe's dashboard, and what it is for."""

    name: str
    use: str


READ_CHARGES = Right("Charges and Refunds: read", "see payments and refunds")
WRITE_REFUNDS = Right("Charges and Refunds: write", "give money back")
READ_SUBSCRIPTIONS = Right("Subscriptions: read", "see subscriptions")
WRITE_SUBSCRIPTIONS = Right("Subscriptions: write", "cancel subscriptions")


async def test(opened: Opened) -> list[Check]:
    """Calls that change nothing, and what they say."""
    client = open_client(opened)
    charges, subscriptions = client.v1.charges, client.v1.subscriptions
    found = [_key(opened)]
    first = await _may(READ_CHARGES, charges.list_async({"limit": 1}))
    found.append(first)
    if not first.ok and LACKS_RIGHT not in first.says:
        # Stripe does not answer, or the key is dead: the other calls would only say it again.
        return [*found, _hooks(opened)]
    refund: stripe.params.RefundCreateParams = {"charge": NO_CHARGE, "amount": 100}
    found += [
        await _may(WRITE_REFUNDS, client.v1.refunds.create_async(refund), missing=True),
        await _may(READ_SUBSCRIPTIONS, subscriptions.list_async({"limit": 1, "status": "all"})),
        await _may(
            WRITE_SUBSCRIPTIONS,
            subscriptions.update_async(NO_SUBSCRIPTION, {"cancel_at_period_end": True}),
            missing=True,
        ),
        await _not_more(client.v1.payouts.list_async({"limit": 1})),
        _hooks(opened),
    ]
    return found


def _key(opened: Opened) -> Check:
    mode = "real money" if opened.credentials.live else "Stripe's test mode"
    if opened.credentials.restricted:
        return Check("key", ok=True, says=f"This is a restricted key, for {mode}.")
    return Check(
        "key",
        ok=True,
        says=f"This is a secret key, for {mode}. It may do everything: Stripe advises a restricted"
        " key (rk_...), and for real money deskgraph takes no other.",
    )


async def _may(right: Right, call: Awaitable[Any], *, missing: bool = False) -> Check:
    """Whether the call is allowed. `missing`: allowed, its object is not found."""
    try:
        answer = await answer_of(call)
        if not missing:
            read(Page[Shape], answer)
    except RefusedError as refusal:
        if missing and LACKS_RIGHT not in str(refusal):
            return _has(right)
        return Check(
            right.name,
            ok=False,
            says=f"The key cannot {right.use}: {refusal}. Give it the right"
            f' "{right.name}" in Stripe\'s dashboard.',
        )
    except (UnavailableError, ConnectorError) as error:
        return Check(right.name, ok=False, says=f"It is not known whether the key can {right.use}:"
                     f" {error}.")  # fmt: skip
    return _has(right)


def _has(right: Right) -> Check:
    return Check(right.name, ok=True, says=f"The key can {right.use}.")


async def _not_more(call: Awaitable[Any]) -> Check:
    """Payouts stand for all that the key is not needed for."""
    name = "Payouts: none"
    try:
        await answer_of(call)
    except RefusedError as refusal:
        if LACKS_RIGHT in str(refusal):
            return Check(
                name, ok=True, says="The key cannot see payouts, which is as it should be."
            )
        return Check(name, ok=True, says="Stripe does not say whether the key can see payouts.")
    except (UnavailableError, ConnectorError):
        return Check(name, ok=True, says="Stripe does not say whether the key can see payouts.")
    return Check(name, ok=True, says="The key can see payouts, which deskgraph never needs: take"
                 " that right away from it.")  # fmt: skip


def _hooks(opened: Opened) -> Check:
    if opened.credentials.hook_secrets:
        return Check("webhook", ok=True, says="Stripe's signing secret for webhooks is set.")
    return Check(
        "webhook",
        ok=False,
        says="webhook_secret is not set, so a refund that fails days later is not noticed: add the"
        f" endpoint /v1/hooks/{opened.id} at Stripe and give its signing secret.",
    )
