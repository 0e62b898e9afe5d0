"""The laws of the ports Billing and Subscriptions. Every provider passes them: the fake, the
sandbox, Stripe's double, and real software.

A subclass gives the fixture `account`; tests/conformance/accounts.py says what that is. What a
repeat does is tried through the toolbox, as runs do it: the port alone is half of the promise.
"""

from dataclasses import replace
from typing import Any

import pytest

from graphs.policy import GRANTS
from tests.conformance.accounts import Account, Feature
from tests.fakes import World
from tools.catalog import TOOLS
from tools.errors import RefusedError, UnavailableError
from tools.models import Payment, Refund
from tools.strategies import live
from tools.toolbox import Toolbox


def skip_without(account: Account, feature: Feature) -> None:
    """Skip a test whose fault or feature this provider lacks."""
    if feature in account.lacks:
        pytest.skip(account.lacks[feature])


class Desk:
    """The toolbox of one run of the account's customer, and its ledger."""

    def __init__(self, account: Account) -> None:
        self.world = World(account.customer)
        provider = account.payments
        ports = replace(self.world.ports, billing=provider, subscriptions=provider)
        gate, ledger, caller = self.world.gate, self.world.ledger, self.world.caller
        self.box = Toolbox("act", GRANTS["act"], TOOLS, ports, caller, gate, ledger, live)

    async def refund(self, payment_id: str, amount: int = 1000, currency: str = "USD") -> Refund:
        """Give back as a plan's step does."""
        args = {"payment_id": payment_id, "amount_minor": amount, "currency": currency}
        done: Refund = await self.box.call("refund_payment", {**args, "reason": "charged twice"})
        return done

    async def cancel(self, subscription_id: str) -> Any:
        """Cancel as a plan's step does."""
        args = {"subscription_id": subscription_id, "reason": "moved away"}
        return await self.box.call("cancel_subscription", args)

    async def until_answered(self, payment_id: str) -> Refund:
        """The refund, tried as often as a node tries a step."""
        for _ in range(5):
            try:
                return await self.refund(payment_id)
            except UnavailableError:
                continue
        raise AssertionError("no answer in five tries")


async def one(account: Account, payment_id: str) -> Payment:
    """The customer's payment."""
    [found] = [
        p for p in await account.payments.payments(account.customer) if p["id"] == payment_id
    ]
    return found


class PaymentLaws:
    """Payments, refunds, cancellations, and what faults leave behind."""

    async def test_payments_are_the_customers_own(self, account: Account) -> None:
        """All of them, in minor units with their currency; nothing of others, or of no account."""
        found = await account.payments.payments(account.customer)
        assert {account.paid, account.paid_too} <= {payment["id"] for payment in found}
        assert account.of_stranger not in {payment["id"] for payment in found}
        paid = await one(account, account.paid)
        assert (paid["amount_minor"], paid["refunded_minor"], paid["currency"]) == (4900, 0, "USD")
        assert paid.get("status", "succeeded") == "succeeded"
        assert paid["captured_at"][10] == "T"
        assert paid["description"].strip()
        for stranger in (
            "cus_Unknown",
            "",
            "42",
            "ann@example.com",
            "cus_1/../../v1/charges",
            "é" * 9,
        ):
            assert await account.payments.payments(stranger) == []
            assert await account.payments.subscriptions(stranger) == []

    async def test_refund_is_booked_shown_and_found(self, account: Account) -> None:
        """A part of a payment, by its key; no other key and no other payment finds it."""
        made = await account.payments.refund(account.paid, 1000, "USD", "r", key="k1")
        assert (made["payment_id"], made["amount_minor"], made["currency"]) == (
            account.paid, 1000, "USD",
        )  # fmt: skip
        assert made.get("status", "succeeded") in ("succeeded", "pending")
        assert (await one(account, account.paid))["refunded_minor"] == 1000
        assert (await one(account, account.paid_too))["refunded_minor"] == 0
        assert await account.payments.find_refund("k1", account.paid) == made
        assert await account.payments.find_refund("k2", account.paid) is None
        assert await account.payments.find_refund("k1", account.paid_too) is None

    async def test_same_key_again_is_the_same_refund(self, account: Account) -> None:
        """Also with a reason in other words."""
        made = await account.payments.refund(account.paid, 1000, "USD", "r", key="k1")
        again = await account.payments.refund(account.paid, 1000, "USD", "other words", key="k1")
        assert again["id"] == made["id"]
        assert await account.booked() == [1000]

    async def test_same_key_again_when_the_provider_has_forgotten_it(
        self, account: Account
    ) -> None:
        """A day later: the refund is found among those of its payment."""
        skip_without(account, "forgets_keys")
        made = await account.payments.refund(account.paid, 1000, "USD", "r", key="k1")
        await account.forget_keys()
        assert (await account.payments.refund(account.paid, 1000, "USD", "r", key="k1")) == made
        assert await account.booked() == [1000]

    async def test_two_keys_are_two_refunds(self, account: Account) -> None:
        """Two parts of the same amount on two tickets are no repeat."""
        for key in ("k1", "k2"):
            await account.payments.refund(account.paid, 1000, "USD", "r", key=key)
        assert await account.booked() == [1000, 1000]
        assert (await one(account, account.paid))["refunded_minor"] == 2000

    async def test_long_and_odd_keys_are_distinguished(self, account: Account) -> None:
        """Longer than a provider takes, and with characters of its own."""
        keys = ("refund:ü \"'[]&=%00\n" + "x" * 600 + end for end in "ab")
        made = [
            await account.payments.refund(account.paid, 100, "USD", "r", key=key) for key in keys
        ]
        assert len({refund["id"] for refund in made}) == 2

    @pytest.mark.parametrize("forgets", [False, True], ids=["keeps keys", "forgets keys"])
    @pytest.mark.parametrize(
        ("drop", "lose"), [(1, 0), (2, 0), (0, 1), (0, 2), (1, 1), (2, 2)], ids=str
    )
    async def test_lost_answers_end_in_one_refund(
        self, account: Account, drop: int, lose: int, forgets: bool
    ) -> None:
        """Calls that never arrived and answers that were lost: tried until there is an answer."""
        if forgets:
            skip_without(account, "forgets_keys")
            await account.forget_keys()
        await account.fail_writes(drop=drop, lose=lose)
        desk = Desk(account)
        made = await desk.until_answered(account.paid)
        assert await account.booked() == [1000]
        assert desk.world.ledger.statuses() == ["done"]
        assert (await desk.refund(account.paid))["id"] == made["id"]
        assert await account.booked() == [1000]

    async def test_more_than_is_left_is_refused(self, account: Account) -> None:
        """By the provider itself, also after a part went back; nothing moves."""
        with pytest.raises(RefusedError):
            await account.payments.refund(account.paid, 4901, "USD", "r", key="k1")
        await account.payments.refund(account.paid, 4000, "USD", "r", key="k2")
        with pytest.raises(RefusedError):
            await account.payments.refund(account.paid, 901, "USD", "r", key="k3")
        assert await account.booked() == [4000]
        await account.payments.refund(account.paid, 900, "USD", "r", key="k4")
        with pytest.raises(RefusedError):
            await account.payments.refund(account.paid, 1, "USD", "r", key="k5")
        assert (await one(account, account.paid))["refunded_minor"] == 4900

    @pytest.mark.parametrize("unknown", ["ch_000", "pay_nope", "", "re_1", "ch_1/../x?a=b", "é"])
    async def test_unknown_payment_is_refused(self, account: Account, unknown: str) -> None:
        """Whatever its name is."""
        with pytest.raises(RefusedError):
            await account.payments.refund(unknown, 100, "USD", "r", key="k1")
        assert await account.booked() == []

    async def test_other_currency_is_refused(self, account: Account) -> None:
        """1000 JPY are not 10.00 USD."""
        for currency in ("JPY", "EUR"):
            with pytest.raises(RefusedError):
                await account.payments.refund(account.paid, 1000, currency, "r", key=currency)
        assert await account.booked() == []

    async def test_payment_of_another_customer_is_none(self, account: Account) -> None:
        """A run gives back what its own customer paid, and ends what they have."""
        desk = Desk(account)
        with pytest.raises(RefusedError, match="does not exist"):
            await desk.refund(account.of_stranger)
        with pytest.raises(RefusedError, match="does not exist"):
            await desk.cancel(account.subscription_of_stranger)
        assert await account.booked() == []

    async def test_disputed_payment_is_shown_and_doubted(self, account: Account) -> None:
        """The bank may give the money back as well; a person decides."""
        skip_without(account, "disputes")
        assert (await one(account, account.disputed)).get("disputed") is True
        assert (await one(account, account.paid)).get("disputed", False) is False
        args = {"payment_id": account.disputed, "amount_minor": 1, "currency": "USD", "reason": "r"}
        assert await Desk(account).box.doubts("refund_payment", args) == [
            f"payment {account.disputed} is under dispute"
        ]

    async def test_pending_refund_says_so(self, account: Account) -> None:
        """It is no succeeded one, and it takes its part of the payment."""
        skip_without(account, "statuses")
        await account.refunds_are("pending")
        assert (await Desk(account).refund(account.paid)).get("status") == "pending"
        assert (await one(account, account.paid))["refunded_minor"] == 1000

    @pytest.mark.parametrize("status", ["failed", "canceled"])
    async def test_refund_that_came_to_nothing_is_refused(
        self, account: Account, status: str
    ) -> None:
        """The ledger keeps it as failed, and the same call again makes no other."""
        skip_without(account, "statuses")
        await account.refunds_are(status)
        desk = Desk(account)
        for _ in range(2):
            with pytest.raises(RefusedError):
                await desk.refund(account.paid)
        assert (desk.world.ledger.statuses(), len(await account.booked())) == (["failed"], 1)

    async def test_refund_that_needs_an_action_says_so(self, account: Account) -> None:
        """A person must see to it."""
        skip_without(account, "statuses")
        await account.refunds_are("requires_action")
        assert (await Desk(account).refund(account.paid)).get("status") == "requires_action"

    async def test_subscription_is_cancelled_once(self, account: Account) -> None:
        """Shown, ended, shown as ended; one that has ended is refused under another key."""
        [before] = await account.payments.subscriptions(account.customer)
        assert (before["id"], before["status"]) == (account.subscription, "active")
        assert before["renews_at"]
        made = await account.payments.cancel_subscription(account.subscription, "r", key="k1")
        assert made["subscription_id"] == account.subscription
        [after] = await account.payments.subscriptions(account.customer)
        assert (after["status"], after["renews_at"]) == ("cancelled", None)
        with pytest.raises(RefusedError):
            await account.payments.cancel_subscription(account.subscription, "r", key="k2")

    async def test_cancellation_is_found_by_its_key(self, account: Account) -> None:
        """The same key answers the same; another key, or another subscription, nothing."""
        skip_without(account, "keeps_ends")
        assert await account.payments.find_cancellation("k1", account.subscription) is None
        made = await account.payments.cancel_subscription(account.subscription, "r", key="k1")
        again = await account.payments.cancel_subscription(account.subscription, "r", key="k1")
        assert again["id"] == made["id"]
        assert await account.payments.find_cancellation("k1", account.subscription) == made
        assert await account.payments.find_cancellation("k2", account.subscription) is None
        other = account.subscription_of_stranger
        assert await account.payments.find_cancellation("k1", other) is None

    @pytest.mark.parametrize(("drop", "lose"), [(1, 0), (0, 1), (1, 1), (0, 2)], ids=str)
    async def test_lost_answers_end_in_one_cancellation(
        self, account: Account, drop: int, lose: int
    ) -> None:
        """Whichever of a provider's calls it was."""
        skip_without(account, "keeps_ends")
        await account.fail_writes(drop=drop, lose=lose)
        desk = Desk(account)
        for _ in range(drop + lose):
            try:
                await desk.cancel(account.subscription)
            except UnavailableError:
                continue
        done = await desk.cancel(account.subscription)
        assert done["subscription_id"] == account.subscription
        assert desk.world.ledger.statuses() == ["done"]
        [after] = await account.payments.subscriptions(account.customer)
        assert after["status"] == "cancelled"

    @pytest.mark.parametrize("unknown", ["sub_000", "", "cus_1", "sub_1/../x"])
    async def test_unknown_subscription_is_refused(self, account: Account, unknown: str) -> None:
        """Whatever its name is."""
        with pytest.raises(RefusedError):
            await account.payments.cancel_subscription(unknown, "r", key="k1")
