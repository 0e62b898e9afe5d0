"""The pause switch: no effect begins from its answer on, and no run is forgotten behind it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from app.adapters.ports.sandbox_billing import SandboxBilling
from app.db.core.connections import Sessions
from app.db.runs import scheduling, transitions
from app.db.runs.queue import enqueue_run
from app.db.runs.queue_position import queue_positions
from app.db.runs.transitions import Ending
from app.db.tables.runs import Run
from app.db.tables.sandbox import SandboxRefund
from app.db.tables.tenants import EVERYONE, Pause
from app.db.tenants import pauses
from app.db.tenants import queries as tenant_queries
from app.errors import NotFoundError
from app.execution import finish
from app.execution.claim import Claimant, claim
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from app.services.runs import start_and_cancel
from app.services.tenants import pause
from tests.conftest import Tenant
from tests.integration.api import PATIENCE_SECONDS, caller, serving_api
from tests.integration.boxes import sandbox, toolbox_on
from tests.integration.conftest import WORKER, Begin
from tests.integration.test_ledger import AUTO, entries, open_toolbox, refund_args
from tests.integration.test_queue_positions import start
from tools.errors import EffectsPausedError
from tools.models import Refund
from tools.ports import Caller
from tools.toolbox import Toolbox

pytestmark = pytest.mark.no_articles

# From a switch before the effects to one after them.
TURNS = 10


async def switch(sessions: Sessions, tenant_id: str, *, on: bool) -> int:
    """Pause or unpause as the API does; how many refunds were booked when it answered."""
    async with sessions.begin() as session:
        if on:
            await pause.pause(session, tenant_id, "test")
        else:
            await pause.unpause(session, enqueue_run, tenant_id)
    if on:
        assert await pause.wait_for_in_flight_effects(sessions, tenant_id) == 0
    return await booked(sessions)


async def booked(sessions: Sessions) -> int:
    """How many refunds stand in the provider's books."""
    async with sessions() as session:
        return await session.scalar(select(func.count()).select_from(SandboxRefund)) or 0


async def is_queued(sessions: Sessions, run_id: UUID) -> bool:
    """Whether a worker may take the run now."""
    query = select(Run.id).where(Run.id == run_id, Run.queued_for <= func.now())
    async with sessions() as session:
        return await session.scalar(query) is not None


@pytest.fixture(autouse=True)
async def alone(sessions: Sessions) -> AsyncIterator[None]:
    """A switch for everyone waits for all, so what other tests left running ends first; and no
    test leaves a switch to the next ones."""
    ended = {"status": "cancelled", "finished_at": func.now(), "worker_id": None}
    async with sessions.begin() as session:
        await session.execute(update(Run).where(Run.status == "running").values(ended))
    yield
    async with sessions.begin() as session:
        await session.execute(delete(Pause))


class HeldBilling(SandboxBilling):
    """A provider that has a request and does not book it until it is let."""

    arrived: asyncio.Event
    released: asyncio.Event

    async def refund(self, *args: Any, **kwargs: Any) -> Refund:
        """See SandboxBilling."""
        self.arrived.set()
        await self.released.wait()
        return await super().refund(*args, **kwargs)


@pytest.fixture
def held(sessions: Sessions, tenant: Tenant) -> HeldBilling:
    """The tenant's provider."""
    billing = HeldBilling(sessions, tenant.id)
    # The class is frozen; these are no part of what it is.
    object.__setattr__(billing, "arrived", asyncio.Event())
    object.__setattr__(billing, "released", asyncio.Event())
    return billing


def toolbox_to(billing: HeldBilling, caller: Caller) -> Toolbox:
    """The toolbox with that provider behind."""
    ports = replace(sandbox(billing.sessions, caller), billing=billing)
    return toolbox_on(ports, billing.sessions, caller, AUTO)


async def test_pause_answers_when_what_is_on_its_way_has_arrived(
    service: Service, tenant: Tenant, begin: Begin, held: HeldBilling
) -> None:
    """The provider books a refund after the switch, and before the answer, over HTTP."""
    box = toolbox_to(held, await begin())
    refund = asyncio.create_task(box.call("refund_payment", refund_args("pay_4001", 100)))
    await held.arrived.wait()
    async with serving_api(service) as url, caller(url, tenant.admin) as admin:
        pausing = asyncio.create_task(admin.post("/v1/admin/pause", json={"paused": True}))
        # The switch is committed, its answer is not there.
        seen = {"paused": False}
        while not seen["paused"]:
            seen = (await admin.get("/v1/admin/pause")).json()
        assert (seen["in_flight"], pausing.done()) == (1, False)
        with pytest.raises(EffectsPausedError):
            await box.call("refund_payment", refund_args("pay_4002", 100))
        assert not pausing.done()
        held.released.set()
        answer = await pausing
        at_answer = await booked(service.sessions)
    assert answer.json()["in_flight"] == 0
    assert (await refund)["amount_minor"] == 100
    assert await booked(service.sessions) == at_answer


async def test_pause_does_not_wait_for_ever(
    sessions: Sessions, tenant: Tenant, begin: Begin, held: HeldBilling
) -> None:
    """It says how many effects have not ended; one that a dead worker left is none of them."""
    first, second = await begin(), await begin(ticket="T-2")
    refunds = [
        asyncio.create_task(
            toolbox_to(held, caller).call("refund_payment", refund_args(f"pay_400{n}", 100))
        )
        for n, caller in enumerate((first, second), 1)
    ]
    await until_begun(sessions, tenant.id, 2)
    async with sessions.begin() as session:
        await pause.pause(session, tenant.id, "test")
    assert await pause.wait_for_in_flight_effects(sessions, tenant.id, 0.1) == 2
    async with sessions.begin() as session:
        assert await transitions.settle(
            session, first.run_id, first.attempt, Ending(RunStatus.PENDING)
        )
    assert await pause.wait_for_in_flight_effects(sessions, tenant.id, 0.1) == 1
    held.released.set()
    await asyncio.gather(*refunds)
    assert await pause.wait_for_in_flight_effects(sessions, tenant.id) == 0
    await switch(sessions, tenant.id, on=False)


async def until_begun(sessions: Sessions, tenant_id: str, count: int) -> None:
    """Until so many effects of the tenant are on their way."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with sessions() as session:
                if await pauses.in_flight(session, tenant_id) == count:
                    return
            await asyncio.sleep(0.01)


async def test_nothing_leaves_after_the_switch_has_answered(
    sessions: Sessions, begin: Begin
) -> None:
    """TURNS times, three effects and the switch at the same instant, with both switches."""
    caller, refused = await begin(), 0
    for turn in range(TURNS):
        name = EVERYONE if turn % 2 else caller.tenant_id
        effects = [
            open_toolbox(sessions, caller).call("refund_payment", refund_args("pay_4001", amount))
            for amount in range(3 * turn + 1, 3 * turn + 4)
        ]

        async def later(pause_of: str, wait: float) -> int:
            await asyncio.sleep(wait)
            return await switch(sessions, pause_of, on=True)

        left, *ends = await asyncio.gather(later(name, turn / 50), *effects, return_exceptions=True)
        assert await booked(sessions) == left
        assert all(isinstance(end, dict | EffectsPausedError) for end in ends), ends
        refused += sum(isinstance(end, EffectsPausedError) for end in ends)
        await switch(sessions, name, on=False)
    done = [status for status, _ in await entries(sessions, caller)]
    assert (set(done), len(done)) == ({"done"}, 3 * TURNS - refused)
    assert 0 < refused < 3 * TURNS, "neither side always won"


async def test_paused_run_waits_and_is_queued_at_once(sessions: Sessions, tenant: Tenant) -> None:
    """It is not claimed, says why, no sweep queues it again, and ending the pause does."""
    run = await start(sessions, tenant, "T-1", "cus_max")
    await switch(sessions, tenant.id, on=True)
    assert await is_queued(sessions, run.id)
    assert await claim(sessions, run.id, Claimant(WORKER, 1)) is None
    async with sessions.begin() as session:
        await session.execute(update(Run).where(Run.id == run.id).values(queued_at=Run.created_at))
        late = await scheduling.overdue(session, timedelta(0), 1000, 1)
        assert run.id not in {found.id for found in late}
        [place] = (await queue_positions(session, [run], 1)).values()
        assert (place.reason, place.position) == ("paused", 1)
    assert not await is_queued(sessions, run.id)
    await switch(sessions, tenant.id, on=False)
    assert await is_queued(sessions, run.id)
    claimed = await claim(sessions, run.id, Claimant(WORKER, 1))
    assert claimed is not None
    assert (claimed.attempt, claimed.losses) == (1, 0)


async def test_run_that_comes_back_while_the_pause_ends_is_not_forgotten(
    sessions: Sessions, begin: Begin
) -> None:
    """It is too late for the queueing at the end of the pause; so its own job waits for that."""
    caller = await begin()
    await switch(sessions, caller.tenant_id, on=True)
    async with sessions() as session:
        run = await start_and_cancel.get(session, caller.tenant_id, caller.run_id)

    async def take() -> Run | None:
        return await claim(sessions, run.id, Claimant(WORKER, 1))

    async with sessions.begin() as ending:
        assert await pause.unpause(ending, enqueue_run, caller.tenant_id) == 0
        async with sessions.begin() as session:
            stopped = Ending(RunStatus.PENDING)
            assert await finish.settle(session, enqueue_run, run, stopped)
        taking = asyncio.create_task(take())
        done, _ = await asyncio.wait([taking], timeout=0.3)
        assert not done, "it waits to see how the switch ends"
    assert (taken := await taking) is not None
    assert (taken.attempt, taken.losses) == (2, 0)


async def test_two_switches_are_two(sessions: Sessions, begin: Begin, tenant: Tenant) -> None:
    """A tenant that is paused stays so when everyone's pause ends, and the other way round."""
    box = open_toolbox(sessions, await begin())
    for name, other in ((EVERYONE, tenant.id), (tenant.id, EVERYONE)):
        await switch(sessions, name, on=True)
        await switch(sessions, other, on=True)
        await switch(sessions, name, on=False)
        async with sessions() as session:
            assert [row.tenant_id for row in await pauses.pauses_of(session, tenant.id)] == [other]
        with pytest.raises(EffectsPausedError):
            await box.call("refund_payment", refund_args("pay_4001", 1))
        await switch(sessions, other, on=False)
    assert (await box.call("refund_payment", refund_args("pay_4001", 1)))["amount_minor"] == 1


async def test_first_to_pause_stays_named(sessions: Sessions, tenant: Tenant) -> None:
    """Pausing twice is no error and changes nothing."""
    async with sessions.begin() as session:
        await pause.pause(session, tenant.id, "first")
        await pause.pause(session, tenant.id, "second")
        [row] = await pauses.pauses_of(session, tenant.id)
        assert row.paused_by == "first"


async def test_only_tenants_that_exist_can_be_paused(sessions: Sessions) -> None:
    """A typing error says so, and no tenant can be called like the switch for everyone."""
    async with sessions() as session:
        with pytest.raises(NotFoundError):
            await pause.pause(session, "nobody", "test")
        with pytest.raises(IntegrityError):
            await tenant_queries.ensure_tenant(session, EVERYONE, "all")
