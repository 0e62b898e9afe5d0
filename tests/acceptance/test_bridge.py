"""docs/connect/bridge.py before the running service: the ten minutes of docs/connect/webhook.md."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.connected import Connected
from tests.acceptance.stack import Client, Stack
from tests.conformance.bridge import load_bridge
from tests.conftest import Tenant
from tests.doubles.own_desk import until
from tests.doubles.server import serving

E42 = "My upload fails with error E42. How do I fix it?"
TWICE = "I was charged twice for my Pro plan this month, please refund one of them"


@dataclass(frozen=True, slots=True)
class BridgeConnected(Connected):
    """With the example's desk."""

    desk: Any

    def seen(self, ticket_id: str, *, public: bool = True) -> list[str]:
        """What the bot wrote."""
        said = self.desk.tickets[ticket_id]["messages"]
        return [m["text"] for m in said if m["author"] == "bot" and m["public"] is public]

    def check(self) -> Any:
        """What the test of the connection says."""
        return self.admin.http.post(f"/v1/connections/{self.id}/test").json()


@pytest.fixture
def connected(
    stack: Stack, tenant: Tenant, starter: Client, approver: Client, admin: Client
) -> Iterator[BridgeConnected]:
    """The example, connected as its page says."""
    bridge = load_bridge()
    # The address comes before the secret, which the connection makes.
    desk = bridge.Desk("", "whsec_" + "A" * 43 + "=")
    with serving(bridge.app_of(desk)) as url:
        asked = {"kind": "webhook", "name": "Bridge", "settings": {"url": f"{url}/deskgraph"}}
        made = admin.http.post("/v1/connections", json=asked)
        assert made.status_code == 201, made.text
        body = made.json()
        desk.hook_url = f"{stack.url}{body['hook_path']}"
        desk.webhook = bridge.Webhook(body["hook_secret"])
        yield BridgeConnected(body["id"], admin, approver, starter, desk)


def test_bridge_is_answered_taken_over_and_handed_back(connected: BridgeConnected) -> None:
    """A question is answered; the bot is silent exactly while a person has the ticket."""
    desk = connected.desk
    desk.open("1", "Upload", {"id": "ann"}, E42)
    assert connected.rested("1")["outcome"] == "answered"
    assert connected.settled("1", "reply")["status"] == "sent"
    assert len(connected.seen("1")) == 1
    assert connected.check()["ok"] is True
    desk.assign("1", "Emma")
    desk.say("1", "customer", "And again: " + E42)
    assert connected.rested("1", 2)["ignored"] == "human_has_it"
    assert len(connected.seen("1")) == 1
    desk.assign("1", None)
    until(lambda: len(connected.seen("1")) == 2)


def test_bridge_refunds_a_verified_requester_only(connected: BridgeConnected) -> None:
    """The same claim twice: proved, it waits for a person and is paid; else it goes to a person."""
    who = {"id": "ann", "external_id": "cus_ann", "verified": True}
    connected.desk.open("1", "Twice", who, TWICE)
    connected.desk.open("2", "Twice", who | {"verified": False}, TWICE)
    run = connected.rested("1")
    assert run["status"] == "interrupted"
    assert connected.approver.decide(run, "approve").status_code == 202
    assert connected.settled("1", "reply")["status"] == "sent"
    assert "refunded 49.00 USD" in connected.seen("1")[0]
    assert connected.rested("2")["outcome"] == "escalated"
    connected.settled("2", "handoff")
    [note] = connected.seen("2", public=False)
    assert "did not verify the requester" in note
    assert "pay_" not in note


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"requester": None}, "requester: Input should be"),
        ({"assignee": {"name": "Emma"}}, "assignee: Input should be a valid string"),
    ],
)
def test_answer_that_does_not_fit_is_named_by_the_test(
    connected: BridgeConnected, wrong: dict[str, Any], says: str
) -> None:
    """Once a hook brought it to light, with the field and what belongs there."""
    connected.desk.open("1", "Upload", {"id": "ann"}, E42)
    connected.settled("1", "reply")
    assert connected.check()["ok"] is True
    connected.desk.tickets["1"] |= wrong
    connected.desk.say("1", "customer", "Hello?")

    def failing() -> Any:
        return [c for c in connected.check()["checks"] if c["name"] == "last call"]

    [check] = until(failing)
    assert says in check["says"]
