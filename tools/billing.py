"""Payments: read them, and refund one. `refund_payment` is the only tool that moves money."""

from typing import Annotated

from pydantic import Field

from tools.errors import RefusedError, UnavailableError
from tools.ledger import Ledger
from tools.models import Payment, PaymentHistory, Refund
from tools.money import format_money
from tools.ports import Billing, Caller
from tools.tool import (
    LOWERABLE,
    AmountMinor,
    Args,
    Currency,
    Permission,
    Tool,
    editable_fields,
)


class ReadPaymentsArgs(Args):
    """No arguments: the customer comes from the run."""


class RefundArgs(Args):
    """What to give back, of which payment, and why."""

    payment_id: Annotated[str, Field(min_length=1, max_length=200)]
    amount_minor: Annotated[AmountMinor, LOWERABLE]
    currency: Currency
    reason: Annotated[str, Field(min_length=1, max_length=500)]


REFUND_EDITABLE = tuple(editable_fields(RefundArgs))


def read_payments(billing: Billing, ledger: Ledger, caller: Caller) -> Tool[ReadPaymentsArgs]:
    """The run's customer's payments, and what they already got back today."""

    async def run(_args: ReadPaymentsArgs, _key: str) -> PaymentHistory:
        return {
            "payments": await billing.payments(caller.customer_id),
            "refunded_24h": await ledger.refunded_24h(),
        }

    return Tool("read_payments", Permission.READ_PAYMENTS, ReadPaymentsArgs, run)


def refund_payment(billing: Billing, caller: Caller) -> Tool[RefundArgs]:
    """Give money back on a payment of the run's customer."""

    def key(args: RefundArgs) -> str:
        """One refund per ticket, payment and amount, however often a node runs again."""
        money = f"{args.amount_minor}:{args.currency}"
        # The ticket's id is the helpdesk's and may hold a colon, so it stands last.
        return f"refund:{args.payment_id}:{money}:{caller.ticket_id}"

    async def check(args: RefundArgs) -> str | None:
        payments = await billing.payments(caller.customer_id)
        own = {payment["id"]: payment for payment in payments}
        return refund_problem(own.get(args.payment_id), args)

    async def run(args: RefundArgs, key: str) -> Refund:
        try:
            problem = await check(args)
        except UnavailableError as error:
            # Nothing was tried yet, so this is no unknown outcome.
            raise RefusedError("the payments could not be read, nothing was tried") from error
        if problem:
            raise RefusedError(problem)
        return await billing.refund(
            args.payment_id, args.amount_minor, args.currency, args.reason, key=key
        )

    def simulate(args: RefundArgs) -> Refund:
        return {
            "id": "simulated",
            "payment_id": args.payment_id,
            "amount_minor": args.amount_minor,
            "currency": args.currency,
        }

    return Tool(
        "refund_payment",
        Permission.MOVE_MONEY,
        RefundArgs,
        run,
        key=key,
        gated=True,
        check=check,
        find=billing.find_refund,
        simulate=simulate,
    )


def refund_problem(payment: Payment | None, args: RefundArgs) -> str | None:
    """Why this refund cannot be made on this payment, or None."""
    if payment is None:
        return f"payment {args.payment_id} does not exist"
    if args.currency != payment["currency"]:
        return f"payment {payment['id']} is in {payment['currency']}, not {args.currency}"
    refundable = payment["amount_minor"] - payment["refunded_minor"]
    if args.amount_minor > refundable:
        left = format_money(refundable, payment["currency"])
        return f"payment {payment['id']} has only {left} left to refund"
    return None


def refund_risk(args: RefundArgs) -> str:
    """What the refund does, for whoever has to agree to it."""
    return f"moves {format_money(args.amount_minor, args.currency)} to the customer"


def payment_line(payment: Payment) -> str:
    """One line about a payment that a reader can check at the provider."""
    amount = format_money(payment["amount_minor"], payment["currency"])
    back = format_money(payment["refunded_minor"], payment["currency"])
    day = payment["captured_at"][:10]
    return f"{payment['description']}: {amount} captured on {day}, {back} refunded so far"
