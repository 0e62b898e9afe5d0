"""The ledger and the gate on a real Postgres: what the toolbox relies on."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from app.adapters.effects.ledger import PostgresLedger
from app.adapters.ports.sandbox_billing import SandboxBilling
from app.db.core.connections import Sessions
from app.db.effects.approvals import get_approval, open_approval, record_decision
from app.db.tables.approvals_and_ledger import LedgerEntry
from app.db.tables.runs import Run
from app.lifecycle import ApprovalStatus
from graphs.policy import Policy
from tests.integration.boxes import sandbox, toolbox_on
from tests.integration.conftest import Begin
from tools.errors import ApprovalRequiredError, RefusedError, RunLostError, UnknownOutcomeError
from tools.ledger import Call, Permit
from tools.ports import Caller
from tools.toolbox import Toolbox

pytestmark = pytest.mark.no_articles

EXPIRES = datetime.now(UTC) + timedelta(hours=1)
AUTO = Policy(refund_auto_limit={"USD": 50_000})


def refund_args(payment: str, amount: int) -> dict[str, Any]:
    """Arguments of `refund_payment`."""
    return {"payment_id": payment, "amount_minor": amount, "currency": "USD", "reason": "r"}


def open_toolbox(sessions: Sessions, caller: Caller, policy: Policy = AUTO) -> Toolbox:
    """The toolbox as `act` has it, with the sandbox provider behind."""
    return toolbox_on(sandbox(sessions, caller), sessions, caller, policy)


class UnsafeBilling(SandboxBilling):
    """A provider whose contract says nothing about a repeated key."""

    @property
    def repeats_safely(self) -> bool:
        """See Billing."""
        return False


async def entries(sessions: Sessions, caller: Caller) -> list[tuple[str, int | None]]:
    """Status and amount of the tenant's ledger rows."""
    query = select(LedgerEntry).where(LedgerEntry.tenant_id == caller.tenant_id)
    async with sessions() as session:
        rows = await session.scalars(query.order_by(LedgerEntry.started_at))
        return [(row.status, row.amount_minor) for row in rows]


async def test_same_call_again_is_answered_from_the_ledger(
    sessions: Sessions, begin: Begin
) -> None:
    """One refund at the provider, the same result twice."""
    box = open_toolbox(sessions, await begin())
    first = await box.call("refund_payment", refund_args("pay_4001", 100))
    assert await box.call("refund_payment", refund_args("pay_4001", 100)) == first
    payments = await SandboxBilling(sessions, (await begin(ticket="T-2")).tenant_id).payments(
        "cus_max"
    )
    assert [p["refunded_minor"] for p in payments if p["id"] == "pay_4001"] == [100]


async def test_parallel_small_refunds_cannot_slip_under_the_limit(
    sessions: Sessions, begin: Begin
) -> None:
    """3 x 199.00 under a limit of 500.00, at the same instant in three runs: two go through."""
    callers = [await begin(ticket=f"T-{n}") for n in range(3)]
    calls = [
        open_toolbox(sessions, caller).call("refund_payment", refund_args(f"pay_400{n}", 19_900))
        for n, caller in enumerate(callers, 1)
    ]
    results = await asyncio.gather(*calls, return_exceptions=True)
    refused = [r for r in results if isinstance(r, ApprovalRequiredError)]
    assert (len(results), len(refused)) == (3, 1)
    assert sorted(await entries(sessions, callers[0])) == [("done", 19_900)] * 2


async def test_without_limit_or_approval_nothing_begins(sessions: Sessions, begin: Begin) -> None:
    """The default policy lets no money move."""
    caller = await begin()
    with pytest.raises(ApprovalRequiredError):
        await open_toolbox(sessions, caller, Policy()).call(
            "refund_payment", refund_args("pay_4001", 1)
        )
    assert await entries(sessions, caller) == []


async def approve(sessions: Sessions, caller: Caller, args: dict[str, Any]) -> None:
    """An approved plan with one step `s1`."""
    step = {"id": "s1", "tool": "refund_payment", "args": args, "editable": []}
    approval_id = uuid7()
    async with sessions.begin() as session:
        await open_approval(
            session, id=approval_id, tenant_id=caller.tenant_id, run_id=caller.run_id,
            ticket_id=caller.ticket_id, interrupt_id="i", kind="plan", steps=[step], gate=["g"],
            digest="d", verdicts=["approve"], expires_at=EXPIRES,
        )  # fmt: skip
        decision = {"verdict": "approve", "steps": [step]}
        approval = await get_approval(session, caller.tenant_id, approval_id)
        assert approval is not None
        closed = {"status": ApprovalStatus.APPROVED, "decision": decision}
        assert await record_decision(session, approval, **closed)


@pytest.mark.parametrize(
    "changed", [{"amount_minor": 501}, {"payment_id": "pay_4002"}, {"reason": "another"}]
)
async def test_an_approval_covers_exactly_what_was_shown(
    sessions: Sessions, begin: Begin, changed: dict[str, Any]
) -> None:
    """Any other argument, step or run needs an approval of its own."""
    caller, args = await begin(), refund_args("pay_4001", 500)
    await approve(sessions, caller, args)
    box = open_toolbox(sessions, caller, Policy())
    with pytest.raises(ApprovalRequiredError):
        await box.call("refund_payment", {**args, **changed}, step_id="s1")
    with pytest.raises(ApprovalRequiredError):
        await box.call("refund_payment", args, step_id="s2")
    other = open_toolbox(sessions, await begin(ticket="T-2"), Policy())
    with pytest.raises(ApprovalRequiredError):
        await other.call("refund_payment", args, step_id="s1")
    assert (await box.call("refund_payment", args, step_id="s1"))["amount_minor"] == 500


@pytest.mark.parametrize(
    "lost",
    [{"attempt": Run.attempt + 1}, {"status": "pending"}, {"cancel_requested_at": Run.created_at}],
)
async def test_who_lost_the_run_begins_nothing(
    sessions: Sessions, begin: Begin, lost: dict[str, Any]
) -> None:
    """Another attempt, a run handed back, a cancelled one: the fence holds before the provider."""
    caller = await begin(**lost)
    with pytest.raises(RunLostError):
        await open_toolbox(sessions, caller).call("refund_payment", refund_args("pay_4001", 1))
    assert await entries(sessions, caller) == []


async def test_call_that_began_and_was_booked_is_found_at_the_provider(
    sessions: Sessions, begin: Begin
) -> None:
    """A crash between the provider's answer and the ledger: the provider is asked, not called."""
    caller = await begin()
    box = open_toolbox(sessions, caller)
    args = refund_args("pay_4001", 700)
    key = f"refund:pay_4001:700:USD:{caller.ticket_id}"
    await PostgresLedger(sessions, caller).begin(call(key, args), Permit(limit_minor=50_000))
    booked = await SandboxBilling(sessions, caller.tenant_id).refund(**args, key=key)
    assert await box.call("refund_payment", args) == booked
    assert await entries(sessions, caller) == [("done", 700)]


async def test_call_that_began_and_left_no_trace_is_never_made_again(
    sessions: Sessions, begin: Begin
) -> None:
    """It is unknown how it ended, and the provider promises nothing: a person must look."""
    caller = await begin()
    args = refund_args("pay_4001", 700)
    key = f"refund:pay_4001:700:USD:{caller.ticket_id}"
    await PostgresLedger(sessions, caller).begin(call(key, args), Permit(limit_minor=50_000))
    ports = sandbox(sessions, caller)
    ports = replace(ports, billing=UnsafeBilling(sessions, caller.tenant_id))
    with pytest.raises(UnknownOutcomeError):
        await toolbox_on(ports, sessions, caller, AUTO).call("refund_payment", args)
    assert await ports.billing.find_refund(key, "pay_4001") is None


async def test_call_that_left_no_trace_is_made_again_where_the_provider_keeps_keys(
    sessions: Sessions, begin: Begin
) -> None:
    """The sandbox books a key once for good, so no person needs to look."""
    caller = await begin()
    args = refund_args("pay_4001", 700)
    key = f"refund:pay_4001:700:USD:{caller.ticket_id}"
    await PostgresLedger(sessions, caller).begin(call(key, args), Permit(limit_minor=50_000))
    box = open_toolbox(sessions, caller)
    booked = await box.call("refund_payment", args)
    assert await SandboxBilling(sessions, caller.tenant_id).find_refund(key, "pay_4001") == booked
    assert await entries(sessions, caller) == [("done", 700)]


async def test_refused_call_stays_refused_in_its_run_only(sessions: Sessions, begin: Begin) -> None:
    """More than is left: failed in the ledger; another run may try the same key later."""
    caller = await begin()
    wide = Policy(refund_auto_limit={"USD": 10**9})
    args = refund_args("pay_4001", 19_901)
    with pytest.raises(RefusedError):
        await open_toolbox(sessions, caller, wide).call("refund_payment", args)
    assert await entries(sessions, caller) == [("failed", 19_901)]
    ledger = PostgresLedger(sessions, caller)
    key = f"refund:pay_4001:19901:USD:{caller.ticket_id}"
    assert not (await ledger.begin(call(key, args), Permit(limit_minor=10**9))).fresh
    later = replace(await begin(ticket="T-2"), ticket_id=caller.ticket_id)
    assert (await PostgresLedger(sessions, later).begin(call(key, args), Permit())).fresh


async def test_same_refund_in_another_run_is_refused_not_retold(
    sessions: Sessions, begin: Begin
) -> None:
    """A second run of the ticket may not claim the first one's refund as its own."""
    first = await begin()
    await open_toolbox(sessions, first).call("refund_payment", refund_args("pay_4001", 800))
    later = replace(await begin(ticket="T-2"), ticket_id=first.ticket_id)
    with pytest.raises(RefusedError):
        await open_toolbox(sessions, later).call("refund_payment", refund_args("pay_4001", 800))
    assert await entries(sessions, first) == [("done", 800)]


async def test_refund_that_failed_before_spends_the_allowance_when_it_begins_again(
    sessions: Sessions, begin: Begin
) -> None:
    """A known key is no way around the limit."""
    first = await begin()
    args = refund_args("pay_4001", 19_901)
    with pytest.raises(RefusedError):
        await open_toolbox(sessions, first).call("refund_payment", args)
    spender = await begin(ticket="T-2")
    await open_toolbox(sessions, spender).call("refund_payment", refund_args("pay_4002", 19_900))
    await open_toolbox(sessions, spender).call("refund_payment", refund_args("pay_4003", 19_900))
    later = replace(await begin(ticket="T-3"), ticket_id=first.ticket_id)
    with pytest.raises(ApprovalRequiredError):
        await open_toolbox(sessions, later).call("refund_payment", args)


def call(key: str, args: dict[str, Any]) -> Call:
    """A refund about to happen."""
    return Call("refund_payment", key, args, "s1", args["amount_minor"], args["currency"])
