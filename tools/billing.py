"""Payments: read them, and refund one."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from tools.effect import Effect, Money
from tools.errors import RefusedError, UnavailableError
from tools.models import Evidence, JsonObject, Payment, PaymentHistory, Refund, Step
from tools.money import format_money
from tools.ports import Caller, Ports
from tools.rules import Rules
from tools.tool import LOWERABLE, AmountMinor, Args, Currency, Permission, Tool
from tools.wording import Names, Phrase, Sentence

MAY_READ_PAYMENTS = Permission("read_payments")

REFUNDED = Phrase(
    en="We have refunded {amount} for {about}.",
    de="Wir haben {amount} für {about} erstattet.",
    fr="Nous avons remboursé {amount} pour {about}.",
    es="Hemos reembolsado {amount} por {about}.",
    it="Abbiamo rimborsato {amount} per {about}.",
    pt="Reembolsamos {amount} por {about}.",
    nl="Wij hebben {amount} voor {about} terugbetaald.",
    ja="{about}の{amount}を返金いたしました。",
)


class ReadPaymentsArgs(Args):
    """No arguments: the customer comes from the run."""


class RefundArgs(Args):
    """What to give back, of which payment, and why."""

    payment_id: Annotated[str, Field(min_length=1, max_length=200)]
    amount_minor: Annotated[AmountMinor, LOWERABLE]
    currency: Currency
    reason: Annotated[str, Field(min_length=1, max_length=500)]


async def read_payments(_args: ReadPaymentsArgs, ports: Ports, caller: Caller) -> PaymentHistory:
    """The run's customer's payments, and what they already got back today."""
    return {
        "payments": await ports.billing.payments(caller.customer_id),
        "refunded_24h": await ports.ledger.refunded_24h(),
    }


def refund_key(args: RefundArgs, caller: Caller) -> str:
    """One refund per ticket, payment and amount."""
    money = f"{args.amount_minor}:{args.currency}"
    # The ticket's id is the helpdesk's and may hold a colon, so it stands last.
    return f"refund:{args.payment_id}:{money}:{caller.ticket_id}"


async def check_refund(args: RefundArgs, ports: Ports, caller: Caller) -> str | None:
    """Why the customer's payments do not allow this refund now, or None."""
    payments = await ports.billing.payments(caller.customer_id)
    own = {payment["id"]: payment for payment in payments}
    return refund_problem(own.get(args.payment_id), args)


async def refund(args: RefundArgs, ports: Ports, caller: Caller, key: str) -> Refund:
    """Give money back on a payment of the run's customer."""
    try:
        problem = await check_refund(args, ports, caller)
    except UnavailableError as error:
        # Nothing was tried yet, so this is no unknown outcome.
        raise RefusedError("the payments could not be read, nothing was tried") from error
    if problem:
        raise RefusedError(problem)
    return await ports.billing.refund(
        args.payment_id, args.amount_minor, args.currency, args.reason, key=key
    )


async def find_refund(ports: Ports, key: str) -> Refund | None:
    """The refund that the provider booked under the key, if it did."""
    return await ports.billing.find_refund(key)


def simulate_refund(args: RefundArgs) -> Refund:
    """What the provider would answer."""
    return {
        "id": "simulated",
        "payment_id": args.payment_id,
        "amount_minor": args.amount_minor,
        "currency": args.currency,
    }


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


def refund_gate(_args: RefundArgs, _rules: Rules) -> str | None:
    """No refund needs a person by itself: the customer's sum of 24 hours decides."""
    return None


def refund_risk(args: RefundArgs, _evidence: Sequence[Evidence]) -> str:
    """What the refund does, for the one who must agree to it."""
    return f"moves {format_money(args.amount_minor, args.currency)} to the customer"


def refund_wording(_args: JsonObject, result: JsonObject, names: Names) -> list[Sentence]:
    """The amount that the provider booked, and what was paid with it."""
    amount = format_money(result["amount_minor"], result["currency"])
    return [Sentence(REFUNDED, {"amount": amount, "about": names(result["payment_id"])})]


def refund_subject(step: Step, names: Names) -> str:
    """What was paid."""
    return names(step["args"]["payment_id"])


def refund_remembered(_args: JsonObject, result: JsonObject) -> str:
    """Such as "refunded 49.00 USD on pay_1002"."""
    amount = format_money(result["amount_minor"], result["currency"])
    return f"refunded {amount} on {result['payment_id']}"


def payment_line(payment: Payment) -> str:
    """One line about a payment that a reader can check at the provider."""
    amount = format_money(payment["amount_minor"], payment["currency"])
    back = format_money(payment["refunded_minor"], payment["currency"])
    day = payment["captured_at"][:10]
    return f"{payment['description']}: {amount} captured on {day}, {back} refunded so far"


READ_PAYMENTS = Tool("read_payments", MAY_READ_PAYMENTS, ReadPaymentsArgs, read_payments)

REFUND = Effect(
    name="refund_payment",
    permission=Permission("move_money"),
    args=RefundArgs,
    key=refund_key,
    run=refund,
    check=check_refund,
    find=find_refund,
    simulate=simulate_refund,
    money=lambda args: Money(args.amount_minor, args.currency),
    gate_reason=refund_gate,
    risk=refund_risk,
    wording=refund_wording,
    subject=refund_subject,
    remembered=refund_remembered,
)
