"""Who may call the toolbox: every node x tool pair, and every argument that is not one."""

from itertools import product
from typing import Any

import pytest

from graphs.policy import GRANTS
from tests.fakes import FakeGate, World
from tests.unit.effect_args import simplest
from tools.billing import RefundArgs
from tools.catalog import EFFECTS, TOOLS
from tools.errors import InvalidArgsError, PermissionDeniedError, RefusedError
from tools.models import JsonObject

REFUND: JsonObject = {
    "payment_id": "pay_1002",
    "amount_minor": 4900,
    "currency": "USD",
    "reason": "duplicate",
}
HANDOFF: JsonObject = {"skill": "billing", "urgency": "normal", "summary": "Call Ann."}
PREVIEW: JsonObject = {"audience": "pro", "subject": "News", "body": "Hello {name}"}
MAILING: JsonObject = {**PREVIEW, "recipients": 3, "as_of": "2026-11-22T00:00:00+00:00"}
KNOWN: dict[str, JsonObject] = {
    "read_payments": {},
    "refund_payment": REFUND,
    "search_articles": {"queries": ["upload"]},
    "create_handoff": HANDOFF,
    "send_reply": {"text": "Hello", "citations": [], "public": True},
    "read_subscriptions": {},
    "cancel_subscription": {"subscription_id": "sub_1001", "reason": "asked for"},
    "read_audiences": {},
    "preview_mail": PREVIEW,
    "send_bulk_mail": MAILING,
}
# For other effects the simplest arguments that their models take.
ARGS = {name: KNOWN.get(name) or simplest(tool) for name, tool in TOOLS.items()}
# The whole table, written out a second time: a grant that is widened is said here, too. Only an
# action is not: every action is `act`'s, and no other node's.
ALLOWED = {("act", effect.name) for effect in EFFECTS.values() if effect.kind == "action"} | {
    ("billing", "read_payments"),
    ("billing", "read_subscriptions"),
    ("general", "read_audiences"),
    ("general", "preview_mail"),
    ("technical", "search_articles"),
    ("general", "search_articles"),
    ("escalate", "search_articles"),
    ("act", "create_handoff"),
    ("escalate", "create_handoff"),
    ("escalate", "search_articles"),
    ("send", "send_reply"),
}
PAIRS = sorted(product(GRANTS, ARGS))


def untouched(world: World) -> bool:
    """Nothing was asked of anybody outside."""
    return not (
        world.billing.calls
        or world.conversations.keys
        or world.knowledge.queries
        or world.subscriptions.calls
        or world.contacts.asked
        or world.mailings.begun
        or world.ledger.rows
        or world.gate.asked
    )


def test_pairs_cover_every_node_and_every_tool() -> None:
    """No tool and no node escapes the tests below."""
    tools = TOOLS.values()
    assert {tool.name for tool in tools} == set(ARGS) >= set(KNOWN)
    assert {tool.permission for tool in tools} == frozenset().union(*GRANTS.values())
    granted = {
        (node, tool.name) for node in GRANTS for tool in tools if tool.permission in GRANTS[node]
    }
    assert granted == ALLOWED


@pytest.mark.parametrize(("node", "tool"), [pair for pair in PAIRS if pair in ALLOWED])
async def test_granted_pair_passes_the_toolbox(node: str, tool: str) -> None:
    """A node gets an answer from the tools it was granted, if only that of the world outside."""
    try:
        answer = await World(may_mail=True).toolbox(node).call(tool, ARGS[tool], step_id="s1")
        assert answer is not None
    except RefusedError:
        assert tool not in KNOWN


@pytest.mark.parametrize(("node", "tool"), [pair for pair in PAIRS if pair not in ALLOWED])
async def test_every_other_pair_is_refused_and_nothing_happens(node: str, tool: str) -> None:
    """Without the grant not even the gate or the ledger is asked."""
    world = World(may_mail=True)
    with pytest.raises(PermissionDeniedError, match=rf"'{node}' may not call '{tool}'"):
        await world.toolbox(node).call(tool, ARGS[tool], step_id="s1")
    assert untouched(world)


@pytest.mark.parametrize("tool", ["read_audiences", "preview_mail", "send_bulk_mail"])
@pytest.mark.parametrize("node", sorted(GRANTS))
async def test_mail_does_not_exist_for_a_caller_who_may_not_mail(node: str, tool: str) -> None:
    """The right is the API key's: no grant, argument or approval stands in for it."""
    world = World()
    with pytest.raises(PermissionDeniedError):
        await world.toolbox(node).call(tool, ARGS[tool], step_id="s1")
    assert untouched(world)


@pytest.mark.parametrize("node", sorted(GRANTS))
async def test_unknown_tool_is_refused_like_a_forbidden_one(node: str) -> None:
    """What does not exist cannot be distinguished from what is not granted."""
    with pytest.raises(PermissionDeniedError, match=f"'{node}' may not call 'wire_money'"):
        await World().toolbox(node).call("wire_money", {})


async def test_grant_is_looked_at_before_the_arguments() -> None:
    """A node without the grant learns nothing about the tool's arguments."""
    with pytest.raises(PermissionDeniedError):
        await World().toolbox("classify").call("refund_payment", {"nonsense": True})


BAD_AMOUNTS = [
    pytest.param(bad, id=repr(bad))
    for bad in (49.0, 4900.5, "4900", True, False, 0, -1, -4900, None, 10**12 + 1, 2**63, "٤٩",
                float("nan"), float("inf"), [4900], {"minor": 4900})
]  # fmt: skip
BAD_REFUNDS = [
    {**REFUND, "customer_id": "cus_bob"},
    {**REFUND, "key": "mine"},
    {key: value for key, value in REFUND.items() if key != "reason"},
    {**REFUND, "currency": "usd"},
    {**REFUND, "currency": "USDT"},
    {**REFUND, "currency": "USD\n"},
    {**REFUND, "payment_id": ""},
    {**REFUND, "payment_id": 1002},
    {**REFUND, "reason": ""},
    {**REFUND, "reason": "x" * 501},
    {},
]


async def refuses(world: World, node: str, tool: str, args: JsonObject) -> None:
    """The toolbox names the tool in its refusal, and nothing happens."""
    with pytest.raises(InvalidArgsError, match=tool):
        await world.toolbox(node).call(tool, args, step_id="s1")
    assert untouched(world)


@pytest.mark.parametrize("amount", BAD_AMOUNTS)
async def test_only_a_positive_integer_is_an_amount(amount: Any) -> None:
    """Nothing is converted, rounded or guessed: money is an integer of minor units."""
    await refuses(World(), "act", "refund_payment", {**REFUND, "amount_minor": amount})


@pytest.mark.parametrize("args", BAD_REFUNDS)
async def test_refund_that_is_not_exactly_one_is_refused(args: JsonObject) -> None:
    """No field is missing, none is extra, none has another shape."""
    await refuses(World(), "act", "refund_payment", args)


@pytest.mark.parametrize(
    ("node", "tool", "args"),
    [
        ("billing", "read_payments", {"customer_id": "cus_bob"}),
        ("general", "search_articles", {"queries": []}),
        ("general", "search_articles", {"queries": ["x"], "limit": 21}),
        ("general", "search_articles", {"queries": ["x"] * 9}),
        ("general", "search_articles", {"queries": ["x"], "tenant_id": "other"}),
        ("escalate", "create_handoff", {**HANDOFF, "urgency": "panic"}),
        ("escalate", "create_handoff", {**HANDOFF, "summary": ""}),
        ("send", "send_reply", {"text": "", "citations": [], "public": True}),
        ("send", "send_reply", {"text": "Hi", "citations": [], "public": "yes"}),
        ("send", "send_reply", {"text": "Hi", "citations": [], "public": True, "to": "a@b.c"}),
    ],
)
async def test_no_argument_reaches_beyond_the_run(node: str, tool: str, args: JsonObject) -> None:
    """Customer, tenant and addressee come from the run; no call can name them."""
    await refuses(World(), node, tool, args)


async def test_args_are_frozen() -> None:
    """What the gate saw is what the tool gets."""
    with pytest.raises(ValueError, match="frozen"):
        RefundArgs(**REFUND).amount_minor = 1  # type: ignore[misc]


async def test_gate_and_ledger_see_the_whole_call() -> None:
    """Tool, business key, arguments, step and money: enough to decide and to book."""
    gate = FakeGate(everything=True)
    world = World(gate=gate)
    await world.toolbox("act").call("refund_payment", REFUND, step_id="refund-pay_1002")
    [call] = gate.asked
    assert (call.tool, call.step_id, call.args) == ("refund_payment", "refund-pay_1002", REFUND)
    assert (call.amount_minor, call.currency) == (4900, "USD")
    assert call.key == "refund:pay_1002:4900:USD:T1"
    assert list(world.ledger.rows) == [call.key]
