"""The harness of docs/connect/bridge.py: the desk that we show passes the laws of every desk."""

import contextlib
import importlib.util
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.guarded_line import guarded_line
from tests.conformance.harness import DeskFields
from tests.conformance.webhook import SECRET, WebhookHarness
from tests.doubles.own_desk import OwnDesk
from tests.doubles.server import serving

FILE = Path(__file__).resolve().parents[2] / "docs/connect/bridge.py"

numbers = itertools.count(1)


def load_bridge() -> Any:
    """The example as a module; it is no part of a package."""
    spec = importlib.util.spec_from_file_location("bridge", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def silent_desk(secret: str) -> Any:
    """The example's desk without hooks, which the laws do not need."""
    desk = load_bridge().Desk("", secret)
    desk.hook = lambda _kind, _data: None
    return desk


@dataclass(slots=True)
class BridgeHarness(WebhookHarness):
    """As that of the double, with the example's tickets."""

    bridge: Any = None

    async def open_ticket(self, subject: str, text: str) -> str:
        """A new ticket."""
        ticket_id = f"b{next(numbers)}"
        self.bridge.open(ticket_id, subject, {"id": "ann", "name": "Ann"}, text)
        self.bridge.tickets[ticket_id]["group"] = self.groups[0]
        return ticket_id

    async def customer_writes(self, ticket_id: str, text: str) -> None:
        """A message of the customer."""
        self.bridge.say(ticket_id, "customer", text)

    async def person_replies(self, ticket_id: str, text: str) -> None:
        """A public message of the person."""
        self.bridge.say(ticket_id, "person", text)

    async def person_notes(self, ticket_id: str, text: str) -> None:
        """A private note."""
        self.bridge.say(ticket_id, "person", text, public=False)

    async def assign_person(self, ticket_id: str) -> None:
        """The person has it."""
        self.bridge.assign(ticket_id, self.person)

    async def hand_back(self, ticket_id: str) -> None:
        """No person has it."""
        self.bridge.assign(ticket_id, None)

    async def close_ticket(self, ticket_id: str) -> None:
        """It takes no more replies."""
        self.bridge.tickets[ticket_id]["closed"] = True

    async def delete_ticket(self, ticket_id: str) -> None:
        """It is gone."""
        del self.bridge.tickets[ticket_id]

    async def customer_saw(self, ticket_id: str) -> list[str]:
        """What the desk shows the customer."""
        said = self.bridge.tickets[ticket_id]["messages"]
        return [m["text"] for m in said if m["public"] and m["author"] != "customer"]

    async def people_saw(self, ticket_id: str) -> list[str]:
        """All of it."""
        return [message["text"] for message in self.bridge.tickets[ticket_id]["messages"]]

    async def fields(self, ticket_id: str) -> DeskFields:
        """As the desk has them."""
        ticket = self.bridge.tickets[ticket_id]
        return DeskFields(
            status=ticket["status"],
            priority=ticket.get("priority", "normal") or "normal",
            group=ticket.get("group"),
            assignee=ticket["assignee"],
            tags=frozenset(ticket["tags"]),
        )


@contextlib.asynccontextmanager
async def bridged_desk() -> AsyncIterator[BridgeHarness]:
    """A harness for a new desk of the example."""
    bridge = silent_desk(SECRET)
    with serving(load_bridge().app_of(bridge)) as url:
        async with guarded_line(url) as (proxy, http):
            yield BridgeHarness(OwnDesk(), proxy, http, bridge=bridge)
