"""A run that was cancelled while its worker died tells what it had done."""

from typing import Any

import pytest

from app.adapters.effects.ledger import PostgresLedger
from app.adapters.ports.sandbox_billing import SandboxBilling
from app.db.effects.ledger import get_entry
from app.db.runs.queue import enqueue_run
from app.db.tables.runs import Run
from app.execution import finish
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from app.services.runs.start_and_cancel import cancel
from app.worker.run_runner import RunRunner
from tests.integration.conftest import WORKER, Begin
from tools.ledger import Call
from tools.ports import Caller

pytestmark = pytest.mark.no_articles

REFUND = ("pay_4003", 19_900, "USD", "never joined")


async def rescued(service: Service, caller: Caller, key: str, *, booked: bool, late: bool) -> Run:
    """The run after: effect begun, worker dead, run taken over and ended.

    The cancel is asked for before the worker is found dead, or `late`, while the run waits again.
    """
    names = ("payment_id", "amount_minor", "currency", "reason")
    args: dict[str, Any] = dict(zip(names, REFUND, strict=True))
    ledger = PostgresLedger(service.sessions, caller)
    await ledger.begin(Call("refund_payment", key, args, "s", REFUND[1], REFUND[2]), None)
    if booked:
        await SandboxBilling(service.sessions, caller.tenant_id).refund(*REFUND, key=key)
    if not late:
        async with service.sessions.begin() as session:
            await cancel(session, enqueue_run, caller.tenant_id, caller.run_id)
    async with service.sessions.begin() as session:
        run = await session.get_one(Run, caller.run_id)
        await finish.bring_back(session, enqueue_run, run, max_losses=5)
    if late:
        async with service.sessions.begin() as session:
            await cancel(session, enqueue_run, caller.tenant_id, caller.run_id)
    next_worker = RunRunner(service, enqueue_run, id=WORKER + 1)
    next_worker.alive.set()
    await next_worker.advance(caller.run_id)
    async with service.sessions() as session:
        return await session.get_one(Run, caller.run_id)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("booked", [True, False])
async def test_effect_of_a_cancelled_run_is_looked_up_before_the_run_ends(
    service: Service, begin: Begin, booked: bool, late: bool
) -> None:
    """Booked by the provider: the ledger says `done`. Not known there: the run says so."""
    caller = await begin(ticket=f"T-{booked}-{late}")
    key = f"refund:T-{booked}-{late}"
    run = await rescued(service, caller, key, booked=booked, late=late)
    assert run.status is RunStatus.CANCELLED
    async with service.sessions() as session:
        entry = await get_entry(session, caller.tenant_id, key)
    assert entry is not None
    assert entry.status == ("done" if booked else "started")
    assert (run.error or {}).get("type") == (None if booked else "unknown_outcome")
