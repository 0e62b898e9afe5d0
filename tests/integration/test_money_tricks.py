"""Money on the real ledger: no way of cutting, timing or spelling a refund widens a limit."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text, update

from app.adapters.effects.ledger import PostgresLedger
from app.adapters.ports.sandbox_billing import SandboxBilling
from app.db.core.connections import Sessions
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.sandbox import SandboxPayment
from graphs.policy import Policy, approvers, gate
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.paused import Desk
from tests.integration.test_ledger import AUTO, approve, entries, open_toolbox
from tests.unit.test_policy import step
from tools.errors import ApprovalRequiredError, InvalidArgsError, RefusedError
from tools.money import format_money
from tools.ports import Caller

pytestmark = pytest.mark.no_articles

LIMIT = 50_000
# Spellings of a number that are none, or none that is money.
NO_AMOUNTS: tuple[Any, ...] = (
    0,
    -1,
    -(10**12),
    10**30,
    1.0,
    500.0,
    5e2,
    True,
    "500",
    "5e2",
    "1_000",
    "５００",
    None,
    [500],
    {"value": 500},
)
REFUSED = (ApprovalRequiredError, RefusedError, InvalidArgsError)


@pytest.fixture
def desk(sessions: Sessions, tenant: Tenant, begin: Begin) -> Desk:
    """A tenant with people who answer."""
    return Desk(sessions, tenant, begin)


def args(amount: Any, payment: str = "big_USD", currency: str = "USD") -> dict[str, Any]:
    """Arguments of a refund."""
    return {"payment_id": payment, "amount_minor": amount, "currency": currency, "reason": "r"}


def dollars(number: int) -> str:
    """The id of one of the payments in dollars."""
    return f"big_USD_{number}"


@pytest.fixture
async def big(sessions: Sessions, tenant: Tenant) -> None:
    """Cus_max has payments of 10**9 minor units in currencies with no, two and three decimals.

    There are twenty in dollars, since no payment is refunded on two tickets without a person.
    """
    async with sessions.begin() as session:
        session.add_all(
            SandboxPayment(
                tenant_id=tenant.id, id=id_, customer_id="cus_max", description="Big",
                amount_minor=10**9, currency=id_[4:7], captured_at=text("now()"),
            )
            for id_ in ("big_USD", "big_EUR", "big_JPY", "big_KWD", *map(dollars, range(20)))
        )  # fmt: skip


async def tried(sessions: Sessions, caller: Caller, wanted: dict[str, Any], policy: Policy) -> bool:
    """Whether the refund went through the gate by itself."""
    try:
        await open_toolbox(sessions, caller, policy).call("refund_payment", wanted)
    except REFUSED:
        return False
    return True


async def moved(sessions: Sessions, tenant: Tenant) -> Counter[str]:
    """What the provider's own books gave back, by currency."""
    query = text(
        "SELECT currency, sum(amount_minor) FROM sandbox_refunds WHERE tenant_id = :t GROUP BY 1"
    )
    async with sessions() as session:
        rows = await session.execute(query, {"t": tenant.id})
        return Counter({currency: int(total) for currency, total in rows})


@pytest.mark.usefixtures("big")
@pytest.mark.parametrize(("amount", "passes"), [(49_999, True), (50_000, True), (50_001, False)])
async def test_limit_is_reached_and_not_passed(
    sessions: Sessions, tenant: Tenant, begin: Begin, amount: int, *, passes: bool
) -> None:
    """Minor units of each currency, whatever their worth: 50000 itself is allowed, 50001 is not."""
    caller = await begin()
    for code in ("USD", "JPY", "KWD"):
        policy = Policy(refund_auto_limit={code: LIMIT})
        assert bool(gate([step(amount, code)], policy, {})) is not passes
        assert await tried(sessions, caller, args(amount, f"big_{code}", code), policy) is passes
        assert (await moved(sessions, tenant))[code] == (amount if passes else 0)


@pytest.mark.usefixtures("big")
async def test_sums_of_parts_meet_the_same_limit(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """49999 and 1 are 50000; another 1 is too much, on this ticket and on every other."""
    first, second, third = [await begin(ticket=f"T-{n}") for n in range(3)]
    assert await tried(sessions, first, args(49_999), AUTO)
    assert await tried(sessions, second, args(1, dollars(1)), AUTO)
    assert not await tried(sessions, third, args(1, "pay_4001"), AUTO)
    assert not await tried(sessions, first, args(2), AUTO)
    assert (await moved(sessions, tenant))["USD"] == LIMIT


@pytest.mark.usefixtures("big")
async def test_one_refund_in_twenty_parts_at_the_same_instant(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """Twenty runs of 20 x 49.99 at once: ten of them fit under 500.00, in any order."""
    callers = [await begin(ticket=f"T-{n}") for n in range(20)]
    wanted = [(caller, args(4999, dollars(n))) for n, caller in enumerate(callers)]
    results = await asyncio.gather(*(tried(sessions, c, w, AUTO) for c, w in wanted))
    assert sum(results) == LIMIT // 4999
    assert (await moved(sessions, tenant))["USD"] == 4999 * (LIMIT // 4999)
    assert {status for status, _ in await entries(sessions, callers[0])} == {"done"}


@pytest.mark.usefixtures("big")
async def test_each_currency_has_its_own_limit_and_no_other(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """A full allowance in one is none in another; a currency that is not named has none at all."""
    policy = Policy(refund_auto_limit={"USD": LIMIT, "JPY": LIMIT})
    caller = await begin()
    assert await tried(sessions, caller, args(LIMIT), policy)
    assert await tried(sessions, caller, args(LIMIT, "big_JPY", "JPY"), policy)
    assert not await tried(sessions, caller, args(1, "big_EUR", "EUR"), policy)
    assert not await tried(sessions, caller, args(1, "big_USD", "JPY"), policy)
    assert await moved(sessions, tenant) == {"USD": LIMIT, "JPY": LIMIT}


@pytest.mark.usefixtures("big")
@pytest.mark.parametrize(("age", "passes"), [("23:59:50", False), ("24:00:01", True)])
async def test_window_of_24_hours_has_its_border(
    sessions: Sessions, tenant: Tenant, begin: Begin, age: str, *, passes: bool
) -> None:
    """What was given back a second more than 24 hours ago counts no more; before that it does."""
    assert await tried(sessions, await begin(ticket="T-1"), args(LIMIT), AUTO)
    async with sessions.begin() as session:
        then = text(f"now() - interval '{age}'")
        mine = update(LedgerEntry).where(LedgerEntry.tenant_id == tenant.id)
        await session.execute(mine.values(started_at=then))
    wanted = args(LIMIT, dollars(2))
    assert await tried(sessions, await begin(ticket="T-2"), wanted, AUTO) is passes


@pytest.mark.usefixtures("big")
async def test_refund_that_waits_elsewhere_spends_the_allowance(
    desk: Desk, sessions: Sessions, tenant: Tenant
) -> None:
    """A plan of 649.00 at a person's gate leaves nothing of 500.00; once rejected, all of it."""
    run = await desk.pause("T-1")
    caller = await desk.begin(ticket="T-2")
    assert await PostgresLedger(sessions, caller).refunded_24h() == {"USD": 64_900}
    assert not await tried(sessions, caller, args(1), AUTO)
    await desk.decide(await desk.person("Ann"), await desk.approval(run), "reject")
    assert await tried(sessions, caller, args(LIMIT), AUTO)
    assert (await moved(sessions, tenant))["USD"] == LIMIT


async def test_amount_is_a_whole_positive_number_and_nothing_that_looks_like_one(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """No other spelling of an amount is read as one, by whatever a plan was written."""
    caller = await begin()
    for amount in (*NO_AMOUNTS, 10**12 + 1):
        assert not await tried(sessions, caller, args(amount, "pay_4001"), AUTO), amount
    assert await moved(sessions, tenant) == {}


@pytest.mark.usefixtures("big")
async def test_nothing_above_the_capture_or_of_another_customer(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """The widest limit gives back what was paid and by whom, in the currency that was paid."""
    wide = Policy(refund_auto_limit={"USD": 10**12, "JPY": 10**12})
    for wanted in (
        args(19_901, "pay_4001"), args(100, "pay_2001"), args(100, "pay_9999"),
        args(100, "pay_4001", "JPY"), args(100, "pay_4001", "usd"),
    ):  # fmt: skip
        assert not await tried(sessions, await begin(ticket=repr(wanted)), wanted, wide)
    assert await moved(sessions, tenant) == {}


@pytest.mark.parametrize(
    ("total", "people"), [(49_999, 1), (50_000, 2), (50_001, 2), (0, 1)], ids=str
)
def test_second_person_is_needed_from_the_exact_value_on(total: int, people: int) -> None:
    """The threshold itself asks for two; what was given back in 24 hours counts into it."""
    policy = Policy(refund_second_approver_from={"USD": LIMIT})
    assert approvers([step(total)], policy, {}) == people
    assert approvers([step(1)], policy, {"USD": total - 1}) == people


@pytest.mark.usefixtures("big")
async def test_plans_made_at_the_same_instant_are_not_each_below_the_second_threshold(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """Two plans of 300.00 that did not see each other, one yes each: the second one stops."""
    policy = Policy(refund_second_approver_from={"USD": LIMIT})
    results = []
    for ticket, amount in (("T-1", 30_000), ("T-2", 30_000), ("T-3", 19_999), ("T-4", 1)):
        caller = await begin(ticket=ticket)
        await approve(sessions, caller, args(amount))
        try:
            box = open_toolbox(sessions, caller, policy)
            await box.call("refund_payment", args(amount), step_id="s1")
            results.append(amount)
        except ApprovalRequiredError:
            results.append(0)
    assert results == [30_000, 0, 19_999, 0]
    assert (await moved(sessions, tenant))["USD"] == 49_999


def test_amounts_are_worded_in_the_currencys_own_units() -> None:
    """50000 is 500 dollars, 50000 yen and 50 dinars: the same number is not the same money."""
    reasons = [
        gate([step(50_001, code)], Policy(refund_auto_limit={code: LIMIT}), {})[0]
        for code in ("USD", "JPY", "KWD")
    ]
    for reason, worded in zip(reasons, ("500.01 USD", "50001 JPY", "50.001 KWD"), strict=True):
        assert f"refunds of {worded} " in reason
    assert format_money(LIMIT, "KWD") == "50.000 KWD"


@pytest.mark.usefixtures("big")
@pytest.mark.parametrize(("age", "passes"), [("6 days 23 hours", False), ("7 days", True)])
async def test_payment_that_another_ticket_gave_back_needs_a_person(
    sessions: Sessions, tenant: Tenant, begin: Begin, age: str, *, passes: bool
) -> None:
    """One mail to two addresses is two tickets: within a week the second one waits."""
    assert await tried(sessions, await begin(ticket="T-1"), args(1000), AUTO)
    async with sessions.begin() as session:
        mine = update(LedgerEntry).where(LedgerEntry.tenant_id == tenant.id)
        await session.execute(mine.values(started_at=text(f"now() - interval '{age}'")))
    second = await begin(ticket="T-2")
    assert await tried(sessions, second, args(1000), AUTO) is passes
    elsewhere = await PostgresLedger(sessions, await begin(ticket="T-3")).refunded_elsewhere()
    worded = {"payment_id": "big_USD", "amount_minor": 1000, "currency": "USD"}
    assert elsewhere == [{**worded, "ticket_id": "T-2" if passes else "T-1"}]
    assert await PostgresLedger(sessions, await begin("cus_bob", "T-4")).refunded_elsewhere() == []


@pytest.mark.usefixtures("big")
async def test_two_tickets_at_the_same_instant_give_a_payment_back_once(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """Neither sees the other's row before its own is written: the lock on the customer decides."""
    callers = [await begin(ticket=f"T-{n}") for n in range(5)]
    results = await asyncio.gather(*(tried(sessions, c, args(1000), AUTO) for c in callers))
    assert sorted(results) == [False] * 4 + [True]
    assert await moved(sessions, tenant) == {"USD": 1000}


@pytest.mark.usefixtures("big")
async def test_payment_under_dispute_stays_without_a_person(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """Within the limit, and by a trusted model."""
    async with sessions.begin() as session:
        mine = update(SandboxPayment).where(SandboxPayment.tenant_id == tenant.id)
        await session.execute(mine.values(disputed=True))
    assert not await tried(sessions, await begin(), args(1), AUTO)
    assert await moved(sessions, tenant) == {}


async def test_provider_keeps_the_books_that_the_tests_read(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """A refund that passes is in them, so an empty book means that nothing moved."""
    assert await tried(sessions, await begin(), args(100, "pay_4001"), AUTO)
    paid = await SandboxBilling(sessions, tenant.id).payments("cus_max")
    assert [p["refunded_minor"] for p in paid if p["id"] == "pay_4001"] == [100]
    assert await moved(sessions, tenant) == {"USD": 100}
