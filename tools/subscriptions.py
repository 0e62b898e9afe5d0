"""Subscriptions: read them, and cancel one."""

from typing import Annotated

from pydantic import Field

from tools.errors import RefusedError, UnavailableError
from tools.models import Cancellation, Subscription
from tools.money import format_money
from tools.ports import Caller, Subscriptions
from tools.tool import Args, Permission, Tool


class ReadSubscriptionsArgs(Args):
    """No arguments: the customer comes from the run."""


class CancelArgs(Args):
    """Which subscription ends, and why."""

    subscription_id: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


def read_subscriptions(subscriptions: Subscriptions, caller: Caller) -> Tool[ReadSubscriptionsArgs]:
    """The run's customer's subscriptions, cancelled ones included."""

    async def run(_args: ReadSubscriptionsArgs, _key: str) -> list[Subscription]:
        return await subscriptions.subscriptions(caller.customer_id)

    return Tool("read_subscriptions", Permission.READ_PAYMENTS, ReadSubscriptionsArgs, run)


def cancel_subscription(subscriptions: Subscriptions, caller: Caller) -> Tool[CancelArgs]:
    """End a subscription of the run's customer."""

    def key(args: CancelArgs) -> str:
        """One cancellation per ticket and subscription, however often a node runs again."""
        # The ticket's id is the helpdesk's and may hold a colon, so it stands last.
        return f"cancel:{args.subscription_id}:{caller.ticket_id}"

    async def check(args: CancelArgs) -> str | None:
        all_ = await subscriptions.subscriptions(caller.customer_id)
        own = {subscription["id"]: subscription for subscription in all_}
        return cancel_problem(own.get(args.subscription_id), args.subscription_id)

    async def run(args: CancelArgs, key: str) -> Cancellation:
        try:
            problem = await check(args)
        except UnavailableError as error:
            # Nothing was tried yet, so this is no unknown outcome.
            raise RefusedError("the subscriptions could not be read, nothing was tried") from error
        if problem:
            raise RefusedError(problem)
        return await subscriptions.cancel_subscription(args.subscription_id, args.reason, key=key)

    def simulate(args: CancelArgs) -> Cancellation:
        subscription_id = args.subscription_id
        return {
            "id": "simulated",
            "subscription_id": subscription_id,
            "description": subscription_id,
        }

    return Tool(
        "cancel_subscription",
        Permission.CANCEL_SUBSCRIPTION,
        CancelArgs,
        run,
        key=key,
        gated=True,
        check=check,
        find=subscriptions.find_cancellation,
        simulate=simulate,
    )


def cancel_problem(subscription: Subscription | None, subscription_id: str) -> str | None:
    """Why this subscription cannot be cancelled, or None."""
    if subscription is None:
        return f"subscription {subscription_id} does not exist"
    if subscription["status"] != "active":
        return f"subscription {subscription_id} is already {subscription['status']}"
    return None


def subscription_line(subscription: Subscription) -> str:
    """One line about a subscription that a reader can check at the provider."""
    price = format_money(subscription["amount_minor"], subscription["currency"])
    renews = (subscription["renews_at"] or "")[:10]
    until = f", renews on {renews}" if renews else ""
    return f"{subscription['description']} subscription: {price}, {subscription['status']}{until}"


def subscription_name(line: str) -> str:
    """What was subscribed to, out of its `subscription_line`."""
    return line.rpartition(" subscription: ")[0]
