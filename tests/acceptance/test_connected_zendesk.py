"""Zendesk, connected: events in, one reply out, never over a person, and tokens that end."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.connected import Connected
from tests.acceptance.stack import Client, Stack
from tests.conftest import Tenant
from tests.doubles.own_desk import until
from tests.doubles.server import serving
from tests.doubles.zendesk_double import CLIENT, CLIENT_SECRET, ZendeskDouble
from tests.doubles.zendesk_hooks import SIGNING_SECRET, ZdWebhook
from tests.doubles.zendesk_state import BOT, CUSTOMER, PERSON, TYPE

E42 = "My upload fails with error E42. How do I fix it?"
TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
EVENTS = ("created", "comment_added", "status_changed", "agent_assignment_changed")


@dataclass(frozen=True, slots=True)
class ZendeskConnected(Connected):
    """With the account."""

    double: ZendeskDouble

    def ask(self, text: str, channel: str = "web") -> str:
        """The customer's new ticket, before any hook of it."""
        given = {"subject": "Help", "comment": {"body": text}}
        return str(self.double.create(CUSTOMER, given, channel).id)

    def update(self, ticket: str, user: int, **given: Any) -> None:
        """An update by one of its users, before any hook of it."""
        self.double.update(user, int(ticket), given, "web")

    def public(self, ticket: str) -> list[str]:
        """What reached the customer."""
        return [mail.text for mail in self.double.mails if mail.ticket_id == int(ticket)]

    def shown(self) -> Any:
        """The connection, as an administrator sees it."""
        return self.admin.http.get(f"/v1/connections/{self.id}").raise_for_status().json()


@pytest.fixture
def connected(
    stack: Stack, tenant: Tenant, starter: Client, approver: Client, admin: Client
) -> Iterator[ZendeskConnected]:
    """A tenant with a new Zendesk, by a refresh token."""
    double = ZendeskDouble()
    double.users[CUSTOMER].external_id = "cus_ann"
    with serving(double.app) as url:
        asked = {
            "kind": "zendesk",
            "name": "Zendesk",
            "settings": {
                "base_url": url,
                "client_id": CLIENT,
                "bot_id": str(BOT),
                "proven_channels": ["web"],
                "on_reply": {"tags_add": ["bot"]},
                "outcomes": {"answered": {"status": "solved"}},
            },
            "credentials": {
                "client_secret": CLIENT_SECRET,
                "refresh_token": double.authorize(),
                "webhook_secret": SIGNING_SECRET,
            },
        }
        made = admin.http.post("/v1/connections", json=asked)
        assert made.status_code == 201, made.text
        hooks = f"{stack.url}{made.json()['hook_path']}"
        double.webhooks.append(ZdWebhook(hooks, [f"{TYPE}{name}" for name in EVENTS]))
        yield ZendeskConnected(made.json()["id"], admin, approver, starter, double)


def test_question_is_answered_once_however_its_hooks_come(connected: ZendeskConnected) -> None:
    """Backwards and twice; our own echo, late, starts nothing."""
    ticket = connected.ask(E42)
    connected.double.deliver(lambda events: [*reversed(events), *events])
    run = connected.rested(ticket)
    assert (run["outcome"], run["ticket_id"]) == ("answered", f"{connected.id}:{ticket}")
    sent = connected.settled(ticket, "reply")
    assert sent["status"] == "sent"
    assert connected.public(ticket) == [run["reply"]["text"]]
    assert sent["desk_id"] == str(connected.double.tickets[int(ticket)].comments[-1].id)
    assert connected.double.tickets[int(ticket)].tags == ["bot"]
    assert connected.settled(ticket, "fields")["status"] == "sent"
    assert connected.double.tickets[int(ticket)].status == "solved"
    connected.double.deliver()
    assert len(connected.runs(ticket)) == 1
    # The customer answers, which opens it again.
    connected.update(ticket, CUSTOMER, comment={"body": "And on my phone? " + E42})
    connected.double.deliver()
    assert connected.rested(ticket, 2)["status"] == "success"
    until(lambda: len(connected.public(ticket)) == 2)
    # One token for all of it, whichever process called.
    assert connected.double.grants == ["refresh_token"]


def test_no_reply_leaves_over_an_agent(connected: ZendeskConnected) -> None:
    """Who answers while an approval waits, and whose hook has not come; handed back, it goes on."""
    ticket = connected.ask(TWICE)
    # One of the message's two hooks: the other, read late, would see her, and silence the bot
    # before there is a reply that could be held back.
    connected.double.deliver(lambda events: events[:1])
    run = connected.rested(ticket)
    assert run["status"] == "interrupted", run
    connected.update(ticket, PERSON, comment={"body": "I will look into it."})
    assert connected.approver.decide(run, "approve").status_code == 202
    assert connected.settled(ticket, "reply")["status"] == "overtaken"
    assert connected.settled(ticket, "draft")["status"] == "sent"
    assert connected.public(ticket) == ["I will look into it."]
    note = connected.double.tickets[int(ticket)].comments[-1]
    assert (note.public, "refunded 49.00 USD" in note.body) == (False, True)
    connected.update(ticket, PERSON, assignee_id=PERSON)
    connected.update(ticket, CUSTOMER, comment={"body": E42})
    connected.double.deliver()
    ignored = until(lambda: [r for r in connected.runs(ticket) if r["outcome"] == "ignored"])
    assert ignored[0]["ignored"] == "human_has_it"
    connected.update(ticket, PERSON, assignee_id=BOT)
    connected.double.deliver()
    until(lambda: len(connected.public(ticket)) == 2)


def test_dead_credentials_pause_the_connection_and_lose_nothing(
    connected: ZendeskConnected,
) -> None:
    """One alarm, which says what to do; with the new ones what waited goes on."""
    connected.double.refreshable.clear()
    ticket = connected.ask(E42)
    connected.double.deliver()
    assert "authorise the bot's user again" in until(lambda: connected.shown()["paused_because"])
    credentials = {
        "client_secret": CLIENT_SECRET,
        "refresh_token": connected.double.authorize(),
        "webhook_secret": SIGNING_SECRET,
    }
    path = f"/v1/connections/{connected.id}"
    changed = connected.admin.http.patch(path, json={"credentials": credentials})
    assert changed.json()["paused_because"] is None
    assert connected.settled(ticket, "reply")["status"] == "sent"
    tested = connected.admin.http.post(f"{path}/test").json()
    assert {check["name"] for check in tested["checks"] if not check["ok"]} <= {"last call"}, tested
