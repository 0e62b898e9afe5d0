"""docs/connect/own_bridge.py before the running service: what docs/connect/your_own.md promises."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.api.http.dependencies import SCOPES
from app.commands.keys import issue_key
from app.db.core.connections import Sessions
from tests.acceptance.stack import Client, Stack, ticket
from tests.conftest import Tenant
from tests.doubles.own_desk import until
from tests.doubles.server import serving

FILE = Path(__file__).resolve().parents[2] / "docs/connect/own_bridge.py"
E42 = "My upload fails with error E42. How do I fix it?"
TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
PERSON = "I want to speak to a human being, please."


@dataclass
class ListDesk:
    """A helpdesk that keeps what the bridge does, once for its run and text."""

    replies: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: set[tuple[str, str, str]] = field(default_factory=set)
    queues: dict[str, str] = field(default_factory=dict)

    def reply(self, ticket_id: str, run_id: str, text: str) -> None:
        """Post the answer."""
        self.replies.setdefault((ticket_id, run_id), text)

    def note(self, ticket_id: str, run_id: str, text: str) -> None:
        """Post a private note."""
        self.notes.add((ticket_id, run_id, text))

    def assign(self, ticket_id: str, run_id: str, skill: str) -> None:
        """Give the ticket to people."""
        self.queues[ticket_id] = skill

    def replied(self, ticket_id: str) -> list[str]:
        """What the customer of a ticket was answered."""
        return [text for (ticket, _), text in self.replies.items() if ticket == ticket_id]

    def noted(self, ticket_id: str) -> list[str]:
        """What people of a ticket read."""
        return [text for ticket, _, text in self.notes if ticket == ticket_id]


def load_bridge() -> Any:
    """The example as a module; it is no part of a package."""
    spec = importlib.util.spec_from_file_location("own_bridge", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True, slots=True)
class Bridged:
    """The bridge, its helpdesk, and where its events go."""

    bridge: Any
    desk: ListDesk
    url: str

    def wrote(self, ticket_id: str, text: str, message_id: str, customer: str = "cus_ann") -> Any:
        """A customer writes."""
        asked = ticket(customer, text, ticket_id=ticket_id)["ticket"]
        return self.bridge.customer_wrote(asked, message_id)


@pytest.fixture
async def bridged(stack: Stack, tenant: Tenant, sessions: Sessions) -> Any:
    """The example with a helpdesk behind it, connected as its page says."""
    scopes = ["runs:write", "runs:read", "approvals:decide", "admin"]
    assert set(scopes) <= set(SCOPES)
    async with sessions.begin() as session:
        key = await issue_key(session, tenant.id, "bridge", scopes)
    module, desk = load_bridge(), ListDesk()
    bridge = module.Bridge(stack.url, key, desk)
    return module, bridge, desk


@pytest.fixture
def connected(bridged: Any) -> Iterator[Bridged]:
    """Served, so that events arrive."""
    module, bridge, desk = bridged
    with serving(module.app_of(bridge)) as url:
        assert bridge.connect(f"{url}/deskgraph").startswith("whsec_")
        yield Bridged(bridge, desk, f"{url}/deskgraph")


def test_bridge_is_about_a_hundred_lines() -> None:
    """What an integrator reads and changes."""
    assert len(FILE.read_text().splitlines()) <= 130


def test_question_is_answered_once(connected: Bridged) -> None:
    """A call that is repeated starts no second run, and an id may hold a slash."""
    first = connected.wrote("a/1", E42, "m-1")
    assert connected.wrote("a/1", E42, "m-1")["id"] == first["id"]
    until(lambda: connected.desk.replied("a/1"))
    connected.bridge.person_wrote("a/1", "m-2", "Mia", "Did that help?")
    connected.wrote("a/1", "And again: " + E42, "m-3")
    runs = connected.bridge.api.get("/v1/runs", params={"ticket_id": "a/1"}).json()["items"]
    assert len(runs) == 2
    shown = connected.bridge.api.get(f"/v1/runs/{runs[0]['id']}?wait=20").json()
    assert shown["ignored"] == "human_has_it"
    connected.bridge.handed_back("a/1")
    connected.wrote("a/1", "Once more: " + E42, "m-4")
    until(lambda: len(connected.desk.replied("a/1")) == 2)


def test_approval_is_noted_and_the_refund_is_reported(connected: Bridged, approver: Client) -> None:
    """People see what waits; once it is approved, the customer reads it."""
    run = connected.wrote("T-2", TWICE, "m-1")
    until(lambda: connected.desk.noted("T-2"))
    [note] = connected.desk.noted("T-2")
    assert "moves 49.00 USD" in note
    assert approver.decide(approver.run(run["id"]), "approve").status_code == 202
    until(lambda: connected.desk.replied("T-2"))
    [reply] = connected.desk.replied("T-2")
    assert "refunded 49.00 USD" in reply


def test_handoff_takeover_close_and_erasure(connected: Bridged) -> None:
    """A person gets the ticket, closes it, and the customer is forgotten."""
    connected.wrote("T-3", PERSON, "m-1", "cus_lou")
    until(lambda: connected.desk.queues.get("T-3"))
    connected.bridge.person_took("T-3", "Mia")
    connected.bridge.person_wrote("T-3", "m-2", "Mia", "I call you.")
    connected.bridge.closed("T-3")
    erased = connected.bridge.erase("cus_lou")["erased"]
    assert erased["messages"] >= 2
    assert erased["handoffs"] == 1


def test_event_that_was_not_signed_is_refused(connected: Bridged) -> None:
    """401, and nothing happens in the helpdesk."""
    headers = {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    for sent in ({}, headers):
        answer = httpx.post(connected.url, content=b'{"type": "run.finished"}', headers=sent)
        assert answer.status_code == 401
    assert connected.desk == ListDesk()
