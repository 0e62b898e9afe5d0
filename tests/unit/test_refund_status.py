"""Statuses of refunds and payments, disputes, and one payment on two tickets."""

from typing import Any

import pytest

from graphs.policy import Policy
from graphs.reply.names import names_in
from tests.fakes import FakeBilling, MemoryLedger, World, payment
from tests.unit.desk import Desk, desk
from tests.unit.test_toolbox import refund, world_with
from tools.billing import (
    REFUND,
    RefundArgs,
    payment_line,
    refund_doubts,
    refund_problem,
    refund_remembered,
    refund_wording,
    refundable,
)
from tools.errors import RefusedError
from tools.models import Payment, RecentRefund, Refund

WISH = "Please refund my Pro plan"
ELSEWHERE: RecentRefund = {
    "payment_id": "pay_1002", "amount_minor": 1000, "currency": "USD", "ticket_id": "T-9",
}  # fmt: skip
WENT_BACK = "10.00 USD of payment pay_1002 went back within the last 7 days, in ticket T-9"


class StatusBilling(FakeBilling):
    """A provider whose refunds have this status."""

    status: Any = "succeeded"

    def book(self, payment_id: str, amount_minor: int, currency: str, key: str) -> Refund:
        booked: Refund = {
            **super().book(payment_id, amount_minor, currency, key),
            "status": self.status,
        }
        self.refunds[key] = booked
        return booked


def paid(**more: Any) -> Payment:
    """The one payment of the customer."""
    return {**payment("pay_1002", 4900, "Pro plan"), **more}  # type: ignore[typeddict-item]


def trusting(*payments: Payment, status: str = "succeeded") -> Desk:
    """A desk of a tenant whose model may refund alone, and a provider with such refunds."""
    opened = desk("cus_ann")
    opened.world.configure_model()
    opened.world.gate.everything = True
    opened.world.policy = Policy(refund_auto_limit={"USD": 10**6})
    billing = StatusBilling({"cus_ann": list(payments)})
    billing.status = status
    opened.world.billing = billing
    return opened


def replies(opened: Desk) -> str:
    """All that the customer has read."""
    return " ".join(reply["text"] for reply in opened.world.conversations.replies.values())


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("succeeded", "We have refunded 49.00 USD for Pro plan."),
        ("pending", "A refund of 49.00 USD for Pro plan is on its way."),
    ],
)
async def test_refund_is_reported_by_its_status(status: str, said: str) -> None:
    """Only money that is back is reported as refunded."""
    opened = trusting(paid(), status=status)
    done = await opened.start(WISH)
    assert done["outcome"] == "acted"
    assert said in replies(opened)


async def test_refund_that_needs_the_provider_goes_to_a_person() -> None:
    """Begun and not done: the customer reads nothing of it, the person reads the status."""
    opened = trusting(paid(), status="requires_action")
    done = await opened.start(WISH)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "step_failed")
    assert "requires_action" in done["escalation"]["detail"]
    texts = replies(opened)
    assert "refunded" not in texts
    assert "on its way" not in texts


@pytest.mark.parametrize("status", ["failed", "canceled"])
async def test_refund_that_came_to_nothing_is_refused(status: str) -> None:
    """The ledger keeps it as failed, whether it is reported at once or found later."""
    opened = trusting(paid(), status=status)
    done = await opened.start(WISH)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "step_failed")
    assert "failed" in opened.world.ledger.statuses()
    billing = StatusBilling({})
    billing.status = status
    world = world_with(billing)
    with pytest.raises(RefusedError, match=status):
        await refund(world)
    assert world.ledger.statuses() == ["failed"]


@pytest.mark.parametrize(
    "status", ["succeeded", "pending", "failed", "requires_action", "canceled"]
)
def test_have_refunded_is_said_of_succeeded_only(status: str) -> None:
    """In the reply, and in what later runs remember."""
    result = {"id": "re_1", "payment_id": "p", "amount_minor": 1, "currency": "USD"}
    said = refund_wording({}, {**result, "status": status}, names_in([paid(id="p")]))
    texts = [sentence.phrase.fill("en", **sentence.values) for sentence in said]
    assert any("have refunded" in text for text in texts) is (status == "succeeded")
    remembered = refund_remembered({}, {**result, "status": status})
    assert remembered.startswith("refunded") is (status == "succeeded")
    assert refund_remembered({}, result).startswith("refunded")


@pytest.mark.parametrize("status", ["pending", "failed", "refunded", "canceled"])
async def test_payment_that_did_not_succeed_cannot_be_given_back(status: str) -> None:
    """Nothing of it is there."""
    one = paid(status=status)
    args = RefundArgs(payment_id="pay_1002", amount_minor=1, currency="USD", reason="r")
    assert refundable(one) == 0
    assert status in (refund_problem(one, args) or "")
    assert status in payment_line(one) or status == "refunded"
    done = await trusting(one).start(WISH)
    assert (done["outcome"], done["plan"]) == ("escalated", None)


async def test_payment_under_dispute_waits_with_that_reason() -> None:
    """Within the limit, from a trusted model: the bank may give the money back as well."""
    opened = trusting(paid(disputed=True))
    await opened.start(WISH)
    gate = (await opened.open_gate()).value["gate"]
    assert gate == ["payment pay_1002 is under dispute"]
    assert opened.world.billing.refunds == {}
    done = await opened.decide("approve")
    assert (done["outcome"], len(opened.world.billing.refunds)) == ("acted", 1)


async def test_refund_in_another_ticket_is_the_reason() -> None:
    """One mail to two addresses makes two tickets; the second one waits."""
    opened = trusting(paid())
    opened.world.ledger.elsewhere = [ELSEWHERE]
    await opened.start(WISH)
    assert (await opened.open_gate()).value["gate"] == [WENT_BACK]
    assert opened.world.billing.refunds == {}


class LateLedger(MemoryLedger):
    """Another ticket refunds the payment after this one has planned."""

    asked = 0

    async def refunded_elsewhere(self) -> list[RecentRefund]:
        self.asked += 1
        return [ELSEWHERE] if self.asked > 1 else []


@pytest.mark.parametrize("limit", [10**6, 0])
async def test_doubt_that_came_meanwhile_brings_the_plan_back(limit: int) -> None:
    """Whether the plan was on its way without a person, or one had agreed before."""
    opened = trusting(paid())
    opened.world.policy = Policy(refund_auto_limit={"USD": limit})
    opened.world.ledger = LateLedger()
    await opened.start(WISH)
    if not limit:
        await opened.decide("approve")
    assert WENT_BACK in (await opened.open_gate()).value["gate"]
    assert opened.world.billing.refunds == {}
    done = await opened.decide("approve")
    assert (done["outcome"], len(opened.world.billing.refunds)) == ("acted", 1)


def test_doubts_are_of_these_payments_alone() -> None:
    """What happened to another payment is no reason."""
    assert refund_doubts([paid(id="pay_1")], [ELSEWHERE]) == []
    assert refund_doubts([paid()], [ELSEWHERE]) == [WENT_BACK]


async def test_own_refund_is_no_doubt() -> None:
    """What this run itself has begun does not stop it."""
    world = World()
    world.billing.by_customer["cus_ann"] = [paid(disputed=True)]
    args = {"payment_id": "pay_1002", "amount_minor": 4900, "currency": "USD", "reason": "r"}
    box = world.toolbox("act")
    assert await box.doubts(REFUND, args) == ["payment pay_1002 is under dispute"]
    await box.call(REFUND, args, step_id="s1")
    assert await box.doubts(REFUND, args) == []
