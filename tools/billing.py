"""Payments: read them, and refund one."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from tools.effect import Effect, Money
from tools.errors import NotTriedError, RefusedError, UnavailableError
from tools.models import (
    Evidence,
    JsonObject,
    Payment,
    PaymentHistory,
    RecentRefund,
    Refund,
    RefundStatus,
    Step,
)
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

STARTED = Phrase(
    en="A refund of {amount} for {about} is on its way.",
    de="Eine Erstattung von {amount} für {about} ist unterwegs.",
    fr="Un remboursement de {amount} pour {about} est en cours.",
    es="Un reembolso de {amount} por {about} está en camino.",
    it="Un rimborso di {amount} per {about} è in corso.",
    pt="Um reembolso de {amount} por {about} está a caminho.",
    nl="Een terugbetaling van {amount} voor {about} is onderweg.",
    ja="{about}の{amount}の返金手続きを開始いたしました。",
)
# What the customer reads about a refund, by its status; nothing about one that is not sure yet.
SAID = {"succeeded": REFUNDED, "pending": STARTED}


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
        "refunded_elsewhere": await ports.ledger.refunded_elsewhere(),
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


async def doubts_about_refund(args: RefundArgs, ports: Ports, caller: Caller) -> list[str]:
    """Why a person must look at this refund as the customer's account is now."""
    payments = await ports.billing.payments(caller.customer_id)
    own = [payment for payment in payments if payment["id"] == args.payment_id]
    return refund_doubts(own, await ports.ledger.refunded_elsewhere())


def refund_doubts(payments: Sequence[Payment], elsewhere: Sequence[RecentRefund]) -> list[str]:
    """What speaks against giving back these payments without a person: a dispute, or a refund in
    another ticket."""
    disputed = [f"payment {p['id']} is under dispute" for p in payments if p.get("disputed")]
    ids = {payment["id"] for payment in payments}
    return disputed + [
        f"{format_money(r['amount_minor'], r['currency'])} of payment {r['payment_id']} went back "
        f"within the last 7 days, in ticket {r['ticket_id']}"
        for r in elsewhere
        if r["payment_id"] in ids
    ]


async def refund(args: RefundArgs, ports: Ports, caller: Caller, key: str) -> Refund:
    """Give money back on a payment of the run's customer.

    Raises:
        RefusedError: nothing moved, and nothing will.
    """
    try:
        problem = await check_refund(args, ports, caller)
    except UnavailableError as error:
        # Nothing was tried yet, so this is no unknown outcome.
        raise NotTriedError("the payments could not be read, nothing was tried") from error
    if problem:
        raise RefusedError(problem)
    return booked(
        await ports.billing.refund(
            args.payment_id, args.amount_minor, args.currency, args.reason, key=key
        )
    )


async def find_refund(args: RefundArgs, ports: Ports, key: str) -> Refund | None:
    """The refund that the provider booked under the key, if it did. Raises as `refund` does."""
    found = await ports.billing.find_refund(key, args.payment_id)
    return booked(found) if found else None


def booked(refund: Refund) -> Refund:
    """The refund, unless it came to nothing. Raises RefusedError."""
    if (status := status_of(refund)) in ("failed", "canceled"):
        raise RefusedError(f"the provider reports refund {refund['id']} as {status}")
    return refund


def status_of(refund: Mapping[str, Any]) -> RefundStatus:
    """How far a refund is; one that was stored before refunds had a status has succeeded."""
    status: RefundStatus = refund.get("status", "succeeded")
    return status


def refund_unfinished(result: JsonObject) -> str | None:
    """Why a person must see to a booked refund, or None."""
    if status_of(result) in SAID:
        return None
    return f"the provider reports refund {result['id']} as {status_of(result)}"


def simulate_refund(args: RefundArgs) -> Refund:
    """What the provider would answer."""
    return {
        "id": "simulated",
        "payment_id": args.payment_id,
        "amount_minor": args.amount_minor,
        "currency": args.currency,
        "status": "succeeded",
    }


def refund_problem(payment: Payment | None, args: RefundArgs) -> str | None:
    """Why this refund cannot be made on this payment, or None."""
    if payment is None:
        return f"payment {args.payment_id} does not exist"
    if args.currency != payment["currency"]:
        return f"payment {payment['id']} is in {payment['currency']}, not {args.currency}"
    if (status := payment.get("status", "succeeded")) != "succeeded":
        return f"payment {payment['id']} is {status}; only one that succeeded can be given back"
    if args.amount_minor > refundable(payment):
        left = format_money(refundable(payment), payment["currency"])
        return f"payment {payment['id']} has only {left} left to refund"
    return None


def ids_of(payment: Payment) -> list[str]:
    """All that the provider calls the payment; its own id is the first."""
    return [payment["id"], *payment.get("also_called", [])]


def refundable(payment: Payment) -> int:
    """What may still be given back of a payment, in minor units."""
    if payment.get("status", "succeeded") != "succeeded":
        return 0
    return payment["amount_minor"] - payment["refunded_minor"]


def refund_gate(_args: RefundArgs, _rules: Rules) -> str | None:
    """No refund needs a person by itself: the customer's sum of 24 hours decides."""
    return None


def refund_risk(args: RefundArgs, _evidence: Sequence[Evidence]) -> str:
    """What the refund does, for the one who must agree to it."""
    return f"moves {format_money(args.amount_minor, args.currency)} to the customer"


def refund_wording(_args: JsonObject, result: JsonObject, names: Names) -> list[Sentence]:
    """The amount that the provider booked, and what was paid with it; nothing if it is not sure."""
    if (said := SAID.get(status_of(result))) is None:
        return []
    amount = format_money(result["amount_minor"], result["currency"])
    return [Sentence(said, {"amount": amount, "about": names(result["payment_id"])})]


def refund_subject(step: Step, names: Names) -> str:
    """What was paid."""
    return names(step["args"]["payment_id"])


def refund_remembered(_args: JsonObject, result: JsonObject) -> str:
    """Such as "refunded 49.00 USD on pay_1002"; any other status than succeeded is named."""
    amount = format_money(result["amount_minor"], result["currency"])
    status = status_of(result)
    done = "refunded" if status == "succeeded" else f"refund {status.replace('_', ' ')}:"
    return f"{done} {amount} on {result['payment_id']}"


def payment_line(payment: Payment) -> str:
    """One line about a payment that a reader can check at the provider."""
    amount = format_money(payment["amount_minor"], payment["currency"])
    back = format_money(payment["refunded_minor"], payment["currency"])
    day = payment["captured_at"][:10]
    status = payment.get("status", "succeeded")
    taken = "captured" if status in ("succeeded", "refunded") else status
    dispute = ", under dispute" if payment.get("disputed") else ""
    line = f"{payment['description']}: {amount} {taken} on {day}, {back} refunded so far"
    return line + dispute


def payment_choice(payment: Payment, name: str) -> str:
    """A payment as its customer may choose it in any language: what, how much, when, its id."""
    amount = format_money(payment["amount_minor"], payment["currency"])
    return f"{name}, {amount}, {payment['captured_at'][:10]} ({payment['id']})"


READ_PAYMENTS = Tool("read_payments", MAY_READ_PAYMENTS, ReadPaymentsArgs, read_payments)

REFUND = Effect(
    name="refund_payment",
    permission=Permission("move_money"),
    args=RefundArgs,
    key=refund_key,
    run=refund,
    check=check_refund,
    doubts=doubts_about_refund,
    find=find_refund,
    repeatable=lambda ports: ports.billing.repeats_safely,
    at_provider=True,
    unfinished=refund_unfinished,
    simulate=simulate_refund,
    money=lambda args: Money(args.amount_minor, args.currency),
    gate_reason=refund_gate,
    risk=refund_risk,
    wording=refund_wording,
    subject=refund_subject,
    remembered=refund_remembered,
)
