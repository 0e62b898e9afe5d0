"""Zammad, connected: a ticket from the customer's words to a mail, a person, and back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.acceptance.connected import Connected
from tests.acceptance.stack import Client, Stack
from tests.acceptance.test_connected_desk import E42
from tests.doubles.desk_shell import HookTarget
from tests.doubles.own_desk import until
from tests.doubles.server import serving
from tests.doubles.zammad_double import ZammadDouble
from tests.doubles.zammad_state import ANN, BOT, EMMA
from tests.tls import TLS

SETTINGS = {
    "bot": "deskgraph@desk.test",
    "outcomes": {"answered": {"tags_add": ["bot"], "status": "pending"}},
}


@dataclass(frozen=True, slots=True)
class ZammadConnected(Connected):
    """With Zammad and its address."""

    zammad: ZammadDouble
    url: str

    def as_user(self, user: int, method: str, path: str, body: Any) -> Any:
        """A call of a user in Zammad."""
        headers = {"Authorization": f"Token token={self.zammad.users[user].token}"}
        answer = httpx.request(
            method, f"{self.url}/api/v1{path}", json=body, headers=headers, verify=TLS
        )
        return answer.raise_for_status().json()

    def mails(self) -> list[str]:
        """What the customer got."""
        return [mail.text for mail in self.zammad.mails]


@pytest.fixture
def connected(stack: Stack, starter: Client, approver: Client, admin: Client) -> Iterator[Any]:
    """A tenant with a Zammad that sends its webhooks."""
    zammad = ZammadDouble()
    with serving(zammad.app) as url:
        asked = {
            "kind": "zammad",
            "name": "Zammad",
            "settings": {"base_url": url, **SETTINGS},
            "credentials": {"token": zammad.token},
        }
        made = admin.http.post("/v1/connections", json=asked)
        assert made.status_code == 201, made.text
        body = made.json()
        zammad.target = HookTarget(f"{stack.url}{body['hook_path']}", body["hook_secret"])
        yield ZammadConnected(body["id"], admin, approver, starter, zammad, url)


def test_ticket_goes_to_the_bot_to_a_person_and_back(connected: ZammadConnected) -> None:
    """One mail for the first question; none while a person has it; one once it is handed back."""
    article = {"body": f"<p>{E42}</p>", "type": "web", "content_type": "text/html"}
    new = {"title": "Upload", "group": "Users", "article": article}
    id_ = str(connected.as_user(ANN, "POST", "/tickets", new)["id"])
    run = connected.rested(id_)
    assert run["outcome"] == "answered"
    sent = connected.settled(id_, "reply")
    assert (sent["status"], connected.mails()) == ("sent", [run["reply"]["text"]])
    assert connected.settled(id_, "fields")["status"] == "sent"
    ticket = connected.zammad.tickets[int(id_)]
    assert (ticket.state_id, ticket.tags) == (3, ["bot"])

    mine = {"ticket_id": int(id_), "type": "email", "to": "ann@customer.test", "body": "Mine now."}
    connected.as_user(EMMA, "POST", "/ticket_articles", mine)
    until(lambda: hooks_are_taken(connected, 3))
    again = {"ticket_id": int(id_), "type": "web", "body": f"And now? {E42}"}
    connected.as_user(ANN, "POST", "/ticket_articles", again)
    silent = connected.rested(id_, 2)
    assert (silent["outcome"], silent["ignored"]) == ("ignored", "human_has_it")
    assert len(connected.mails()) == 2

    connected.as_user(EMMA, "PUT", f"/tickets/{id_}", {"owner": SETTINGS["bot"]})
    answered = until(lambda: len(connected.mails()) == 3 and connected.runs(id_)[0])
    assert connected.mails()[-1] == answered["reply"]["text"]
    assert connected.zammad.articles_of(int(id_))[-1].created_by_id == BOT
    # What comes late and again starts nothing: the hand-back, and each article's hook from the end.
    zammad, target = connected.zammad, connected.zammad.target
    assert target is not None
    articles = [zammad.article_hook(one) for one in zammad.articles_of(int(id_))]
    for hook in (zammad.owner_hook(ticket), *reversed(articles)):
        assert zammad.post(target, hook) == 202
    assert len(connected.runs(id_)) == 3
    assert len(connected.mails()) == 3
    assert set(zammad.answers) == {202}


def hooks_are_taken(connected: ZammadConnected, count: int) -> bool:
    """Whether so many hooks were answered with 202."""
    return connected.zammad.answers.count(202) >= count
