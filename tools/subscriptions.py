"""Subscriptions: read them, and cancel one."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import Field

from tools.billing import MAY_READ_PAYMENTS
from tools.effect import Effect
from tools.errors import NotTriedError, RefusedError, UnavailableError
from tools.models import Cancellation, Evidence, JsonObject, Step, Subscription
from tools.money import format_money
from tools.ports import Caller, Ports
from tools.rules import Rules
from tools.tool import Args, Permission, Tool
from tools.wording import Names, Phrase, Sentence

CANCELLED = Phrase(
    en="We have cancelled your {about} subscription.",
    de="Wir haben Ihr Abonnement {about} gekündigt.",
    fr="Nous avons résilié votre abonnement {about}.",
    es="Hemos cancelado su suscripción {about}.",
    it="Abbiamo disdetto il Suo abbonamento {about}.",
    pt="Cancelamos a sua assinatura {about}.",
    nl="Wij hebben uw abonnement {about} opgezegd.",
    ja="{about}の定期購入を解約いたしました。",
)

ENDS_LATER = Phrase(
    en="Your {about} subscription is cancelled and ends on {until}.",
    de="Ihr Abonnement {about} ist gekündigt und endet am {until}.",
    fr="Votre abonnement {about} est résilié et prend fin le {until}.",
    es="Su suscripción {about} está cancelada y termina el {until}.",
    it="Il Suo abbonamento {about} è disdetto e termina il {until}.",
    pt="A sua assinatura {about} está cancelada e termina em {until}.",
    nl="Uw abonnement {about} is opgezegd en eindigt op {until}.",
    ja="{about}の定期購入は解約済みで、{until}に終了いたします。",
)


class ReadSubscriptionsArgs(Args):
    """No arguments: the customer comes from the run."""


class CancelArgs(Args):
    """Which subscription ends, and why."""

    subscription_id: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


async def read_subscriptions(
    _args: ReadSubscriptionsArgs, ports: Ports, caller: Caller
) -> list[Subscription]:
    """The run's customer's subscriptions, cancelled ones included."""
    return await ports.subscriptions.subscriptions(caller.customer_id)


def cancel_key(args: CancelArgs, caller: Caller) -> str:
    """One cancellation per ticket and subscription."""
    # The ticket's id is the helpdesk's and may hold a colon, so it stands last.
    return f"cancel:{args.subscription_id}:{caller.ticket_id}"


async def check_cancel(args: CancelArgs, ports: Ports, caller: Caller) -> str | None:
    """Why the customer's subscriptions do not allow this cancellation now, or None."""
    subscriptions = await ports.subscriptions.subscriptions(caller.customer_id)
    own = {subscription["id"]: subscription for subscription in subscriptions}
    return cancel_problem(own.get(args.subscription_id), args.subscription_id)


async def cancel(args: CancelArgs, ports: Ports, caller: Caller, key: str) -> Cancellation:
    """End a subscription of the run's customer."""
    try:
        problem = await check_cancel(args, ports, caller)
    except UnavailableError as error:
        # Nothing was tried yet, so this is no unknown outcome.
        raise NotTriedError("the subscriptions could not be read, nothing was tried") from error
    if problem:
        raise RefusedError(problem)
    return await ports.subscriptions.cancel_subscription(args.subscription_id, args.reason, key=key)


async def find_cancellation(args: CancelArgs, ports: Ports, key: str) -> Cancellation | None:
    """The cancellation that the provider booked under the key, if it did."""
    return await ports.subscriptions.find_cancellation(key, args.subscription_id)


def simulate_cancel(args: CancelArgs) -> Cancellation:
    """What the provider would answer."""
    subscription_id = args.subscription_id
    return {
        "id": "simulated",
        "subscription_id": subscription_id,
        "description": subscription_id,
    }


def cancel_problem(subscription: Subscription | None, subscription_id: str) -> str | None:
    """Why this subscription cannot be cancelled, or None."""
    if subscription is None:
        return f"subscription {subscription_id} does not exist"
    if subscription["status"] != "active":
        return f"subscription {subscription_id} is already {subscription['status']}"
    return None


def cancel_gate(args: CancelArgs, _rules: Rules) -> str:
    """Whatever the tenant's limits are."""
    return f"a cancellation always needs a person: {args.subscription_id}"


def cancel_risk(args: CancelArgs, evidence: Sequence[Evidence]) -> str:
    """What ends, for the one who must agree to it."""
    what = named_in(evidence, args.subscription_id) or args.subscription_id
    return f"ends {what} for the customer"


def cancel_wording(_args: JsonObject, result: JsonObject, names: Names) -> list[Sentence]:
    """Which subscription the provider ended, and when it ends if it still runs."""
    about = names(result["subscription_id"], result["description"])
    if (until := day_of(result.get("ends_at"))) is None:
        return [Sentence(CANCELLED, {"about": about})]
    return [Sentence(ENDS_LATER, {"about": about, "until": until})]


def day_of(moment: object) -> str | None:
    """The day of a moment that an outside system wrote, or None when it is none."""
    try:
        return date.fromisoformat(str(moment)[:10]).isoformat()
    except ValueError:
        return None


def cancel_subject(step: Step, names: Names) -> str:
    """What the customer is subscribed to."""
    subscription_id = step["args"]["subscription_id"]
    return names(subscription_id, named_in(step["evidence"], subscription_id))


def subscription_line(subscription: Subscription) -> str:
    """One line about a subscription that a reader can check at the provider."""
    price = format_money(subscription["amount_minor"], subscription["currency"])
    renews = (subscription["renews_at"] or "")[:10]
    until = f", renews on {renews}" if renews else ""
    return f"{subscription['description']} subscription: {price}, {subscription['status']}{until}"


def subscription_evidence(subscription: Subscription) -> Evidence:
    """The subscription as a reviewer sees it."""
    line = subscription_line(subscription)
    return {"kind": "subscription", "id": subscription["id"], "summary": line}


def named_in(evidence: Sequence[Evidence], subscription_id: str) -> str | None:
    """What was subscribed to, out of its `subscription_line`."""
    lines = [item["summary"] for item in evidence if item["id"] == subscription_id]
    return lines[0].rpartition(" subscription: ")[0] if lines else None


READ_SUBSCRIPTIONS = Tool(
    "read_subscriptions", MAY_READ_PAYMENTS, ReadSubscriptionsArgs, read_subscriptions
)

CANCEL = Effect(
    name="cancel_subscription",
    permission=Permission("cancel_subscription"),
    args=CancelArgs,
    key=cancel_key,
    run=cancel,
    check=check_cancel,
    find=find_cancellation,
    repeatable=lambda ports: ports.subscriptions.repeats_safely,
    at_provider=True,
    simulate=simulate_cancel,
    gate_reason=cancel_gate,
    risk=cancel_risk,
    wording=cancel_wording,
    subject=cancel_subject,
)
