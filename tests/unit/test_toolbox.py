"""Behind the grant: gate -> ledger -> call, and never a second call under one key."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.fakes import FakeBilling, FakeGate, SilentBilling, World
from tests.unit.test_grants import ARGS, HANDOFF, REFUND
from tools import billing
from tools.errors import (
    ApprovalRequiredError,
    RefusedError,
    RunLostError,
    ToolError,
    UnavailableError,
    UnknownOutcomeError,
)
from tools.ledger import Call, Entry, Permit
from tools.models import JsonObject, Payment, RecentRefund, Refund
from tools.ports import Caller, Ports
from tools.strategies import live, replay
from tools.toolbox import Toolbox

KEY = "refund:pay_1002:4900:USD:T1"
REPLY = ARGS["send_reply"]
DONE: Refund = {"id": "re_9", "payment_id": "pay_1002", "amount_minor": 4900, "currency": "USD"}


async def refund(world: World, **changes: Any) -> Any:
    """One refund asked for by the node that may."""
    return await world.toolbox("act").call("refund_payment", {**REFUND, **changes}, step_id="s1")


def world_with(billing: FakeBilling) -> World:
    """A world with another payment provider."""
    world = World()
    billing.by_customer = world.billing.by_customer
    world.billing = billing
    return world


def begun_before(world: World, key: str = KEY) -> None:
    """An earlier attempt wrote `started` and was never heard of again."""
    world.ledger.rows[key] = {"status": "started", "result": None, "error": None}


class Journal:
    """Gate, ledger and tool of one box, writing down in which order they are used."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def permit(self, call: Call) -> Permit:
        self.lines.append("gate")
        return Permit()

    async def begin(self, call: Call, permit: Permit | None) -> Entry:
        self.lines.append(f"begin {permit}")
        return Entry("started", fresh=True)

    async def find(self, key: str) -> Entry | None:
        self.lines.append("find")
        return None

    async def finish(self, key: str, result: JsonObject) -> None:
        self.lines.append("finish")

    async def fail(self, key: str, error: str) -> None:
        self.lines.append("fail")

    async def refunded_24h(self) -> dict[str, int]:
        return {}

    async def refunded_elsewhere(self) -> list[RecentRefund]:
        return []

    async def run(self, args: Any, ports: Ports, caller: Caller, key: str) -> JsonObject:
        self.lines.append("call")
        return {}


async def test_order_is_gate_ledger_call_ledger() -> None:
    """A permit is in hand before the row, the row before the call, the result after it."""
    journal, world = Journal(), World()
    effect = replace(billing.REFUND, run=journal.run)
    tools = {effect.name: effect}
    ports, caller = world.ports, world.caller
    box = Toolbox("act", {effect.permission}, tools, ports, caller, journal, journal, live)
    await box.call(effect, REFUND)
    assert journal.lines == ["gate", f"begin {Permit()}", "call", "finish"]


async def test_tool_without_gate_asks_no_person_but_is_ledgered() -> None:
    """A hand-off needs no approval, and is written down all the same."""
    world = World(gate=FakeGate())
    await world.toolbox("escalate").call("create_handoff", HANDOFF)
    assert world.gate.asked == []
    assert world.ledger.statuses() == ["done"]


async def test_reading_leaves_no_row() -> None:
    """A tool without a key only reads."""
    world = World()
    world.ledger.spent = {"USD": 100}
    history = await world.toolbox("billing").call("read_payments", {})
    assert [p["id"] for p in history["payments"]] == ["pay_1001", "pay_1002"]
    assert history["refunded_24h"] == {"USD": 100}
    assert world.ledger.rows == {}


async def test_gate_refuses_before_anything_is_written() -> None:
    """No approval: no row, no call."""
    world = World(gate=FakeGate())
    with pytest.raises(ApprovalRequiredError):
        await refund(world)
    assert (world.ledger.rows, world.billing.calls) == ({}, 0)


async def test_lost_run_calls_no_provider() -> None:
    """The ledger's fence holds a worker that no longer owns the run."""
    world = World()
    world.ledger.lost = True
    with pytest.raises(RunLostError):
        await refund(world)
    assert world.billing.calls == 0


async def test_done_in_the_ledger_answers_without_a_call() -> None:
    """A repeat gets the first result, whatever the provider would say now."""
    world = World()
    world.ledger.rows[KEY] = {"status": "done", "result": DONE, "error": None}
    assert await refund(world) == DONE
    assert (world.billing.calls, world.billing.finds) == (0, 0)


async def test_second_call_is_the_first() -> None:
    """The same business key moves money once, also for another run of the same ticket."""
    world = World()
    first = await refund(world)
    world.caller = replace(world.caller, run_id=UUID(int=2), attempt=1)
    assert await refund(world, reason="said differently") == first
    assert (world.billing.calls, len(world.billing.refunds)) == (1, 1)


async def test_started_and_known_to_the_provider_is_recorded() -> None:
    """The worker died between the call and its row: the provider is asked, not called again."""
    world = World()
    begun_before(world)
    world.billing.refunds[KEY] = DONE
    assert await refund(world) == DONE
    assert (world.billing.calls, world.billing.finds) == (0, 1)
    assert world.ledger.rows[KEY] == {"status": "done", "result": DONE, "error": None}


async def test_started_and_unknown_to_the_provider_is_never_called() -> None:
    """The call may still be on its way, and no key holds it off: a person must look."""
    world = World()
    world.billing.keeps_keys = False
    begun_before(world)
    for _ in range(2):
        with pytest.raises(UnknownOutcomeError, match=KEY):
            await refund(world)
    assert (world.billing.calls, world.ledger.statuses()) == (0, ["started"])


async def test_started_and_unknown_to_a_provider_that_keeps_keys_is_called_again() -> None:
    """Looked for first; then the same key, which the provider promises to book once."""
    world = World()
    begun_before(world)
    booked = await refund(world)
    assert booked == world.billing.refunds[KEY]
    assert (world.billing.calls, world.billing.finds) == (1, 1)
    assert world.ledger.statuses() == ["done"]


class LateBilling(FakeBilling):
    """The earlier call arrives between our look and our repeat, which is refused for it."""

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        self.book(payment_id, amount_minor, currency, key)
        raise RefusedError("nothing is left to refund")


async def test_refusal_of_a_repeat_is_looked_up_before_it_is_believed() -> None:
    """A repeat that is refused because the earlier call has arrived at last is that call's end."""
    world = world_with(LateBilling({}))
    begun_before(world)
    assert await refund(world) == world.billing.refunds[KEY]
    assert (len(world.billing.refunds), world.ledger.statuses()) == (1, ["done"])


async def test_refusal_of_a_repeat_that_nothing_explains_is_final() -> None:
    """Looked for twice and refused in between: nothing happened."""
    world = World()
    world.billing.by_customer["cus_ann"] = []
    begun_before(world)
    with pytest.raises(RefusedError, match="does not exist"):
        await refund(world)
    assert (world.billing.finds, world.ledger.statuses()) == (2, ["failed"])


class UnreadBilling(FakeBilling):
    """Answers nothing about payments."""

    async def payments(self, customer_id: str) -> list[Payment]:
        raise UnavailableError("no answer in time")


async def test_repeat_that_could_not_be_tried_says_nothing_of_the_first_call() -> None:
    """A first call that was not tried has failed; a repeat leaves the end unknown."""
    fresh, again = world_with(UnreadBilling({})), world_with(UnreadBilling({}))
    with pytest.raises(RefusedError, match="nothing was tried"):
        await refund(fresh)
    assert fresh.ledger.statuses() == ["failed"]
    begun_before(again)
    with pytest.raises(UnavailableError):
        await refund(again)
    assert again.ledger.statuses() == ["started"]


async def test_replay_looks_for_a_call_and_never_repeats_it() -> None:
    """Whatever the provider promises: a replay moves nothing that it did not find."""
    world = World()
    begun_before(world)
    box = replace(world.toolbox("act"), strategy=replay)
    with pytest.raises(UnknownOutcomeError):
        await box.call("refund_payment", REFUND, step_id="s1")
    assert (world.billing.calls, world.billing.finds) == (0, 1)


async def test_started_without_a_way_to_find_out_is_unknown() -> None:
    """A tool that cannot ask the outside system is not called twice either."""
    world = World()
    begun_before(world)
    real = world.toolbox("act")
    blind = {billing.REFUND.name: replace(billing.REFUND, find=None, repeatable=False)}
    with pytest.raises(UnknownOutcomeError):
        await replace(real, tools=blind).call("refund_payment", REFUND, step_id="s1")
    assert world.billing.calls == 0


@pytest.mark.parametrize("books", [True, False])
async def test_silence_leaves_the_row_started(books: bool) -> None:
    """No answer is no result: the next attempt asks the provider by key, and never pays twice."""
    billing = SilentBilling({})
    billing.books = books
    world = world_with(billing)
    with pytest.raises(UnavailableError):
        await refund(world)
    assert world.ledger.statuses() == ["started"]
    again: ToolError | None = None
    try:
        await refund(world)
    except ToolError as error:
        again = error
    assert (again is None) == books
    assert books or isinstance(again, UnknownOutcomeError)
    assert billing.calls == 1
    assert world.ledger.statuses() == ["done" if books else "started"]


@pytest.mark.parametrize(
    ("node", "tool", "args", "key"),
    [
        ("send", "send_reply", REPLY, f"reply:{UUID(int=1)}"),
        ("escalate", "create_handoff", HANDOFF, f"handoff:{UUID(int=1)}"),
    ],
)
async def test_repeatable_tool_is_called_again_with_the_same_key(
    node: str, tool: str, args: JsonObject, key: str
) -> None:
    """The port drops a repeated key, so an unknown outcome is simply tried again, until done."""
    world = World()
    begun_before(world, key)
    first = await world.toolbox(node).call(tool, args)
    assert await world.toolbox(node).call(tool, args) == first
    assert world.conversations.keys == [key]
    assert world.ledger.statuses() == ["done"]
