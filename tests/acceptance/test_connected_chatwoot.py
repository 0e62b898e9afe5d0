"""Chatwoot, connected: the bot answers, a person takes over and hands back, a delivery fails."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.acceptance.connected import Connected
from tests.acceptance.stack import Client, Stack
from tests.acceptance.test_connected_desk import E42
from tests.doubles.chatwoot_double import ChatwootDouble
from tests.doubles.chatwoot_state import ACCOUNT, BOT, EMMA, READER, ChatwootConversation
from tests.doubles.desk_shell import HookTarget
from tests.doubles.own_desk import until
from tests.doubles.server import serving


@dataclass(frozen=True, slots=True)
class ChatwootConnected(Connected):
    """With Chatwoot and its address."""

    chatwoot: ChatwootDouble
    url: str

    def as_emma(self, conversation: ChatwootConversation, path: str, body: Any) -> None:
        """What the person does in a conversation."""
        url = f"{self.url}/api/v1/accounts/{ACCOUNT}/conversations/{conversation.id}{path}"
        headers = {"api_access_token": self.chatwoot.users[EMMA].token}
        httpx.post(url, json=body, headers=headers).raise_for_status()

    def replies(self, conversation: ChatwootConversation) -> list[str]:
        """What the bot said to the customer."""
        said = [one for one in self.chatwoot.of(conversation.id) if not one.private]
        return [one.content for one in said if one.sender == self.chatwoot.bot]


@pytest.fixture
def connected(stack: Stack, starter: Client, approver: Client, admin: Client) -> Iterator[Any]:
    """A tenant with an account of Chatwoot whose bot sends its hooks."""
    chatwoot = ChatwootDouble()
    with serving(chatwoot.app) as url:
        asked = {
            "kind": "chatwoot",
            "name": "Chatwoot",
            "settings": {
                "base_url": url,
                "account_id": ACCOUNT,
                "outcomes": {"answered": {"tags_add": ["bot"]}},
            },
            "credentials": {
                "bot_token": chatwoot.bot.token,
                "agent_token": chatwoot.users[READER].token,
                "webhook_secret": chatwoot.secret,
            },
        }
        made = admin.http.post("/v1/connections", json=asked)
        assert made.status_code == 201, made.text
        target = f"{stack.url}{made.json()['hook_path']}"
        chatwoot.target = HookTarget(target, chatwoot.secret)
        people = (admin, approver, starter)
        yield ChatwootConnected(made.json()["id"], *people, chatwoot, url)


def test_conversation_goes_to_the_bot_to_a_person_and_back(connected: ChatwootConnected) -> None:
    """One reply; none while a person has it; one once it is assigned to the bot; one that fails."""
    chatwoot = connected.chatwoot
    conversation = chatwoot.open(E42)
    id_ = str(conversation.id)
    run = connected.rested(id_)
    assert run["outcome"] == "answered"
    assert connected.settled(id_, "reply")["status"] == "sent"
    assert connected.replies(conversation) == [run["reply"]["text"]]
    assert connected.settled(id_, "fields")["status"] == "sent"
    assert (conversation.status, conversation.labels) == ("pending", ["bot"])

    # A person who only writes leaves the conversation pending, as the interface lets them.
    connected.as_emma(conversation, "/messages", {"content": "I look into it."})
    connected.as_emma(conversation, "/assignments", {"assignee_id": EMMA})
    # The customer's message, the bot's own, the person's, and the assignment.
    until(lambda: len(chatwoot.answers) >= 4)
    chatwoot.customer_writes(conversation, f"And now? {E42}")
    silent = connected.rested(id_, 2)
    assert (silent["outcome"], silent["ignored"]) == ("ignored", "human_has_it")
    assert len(connected.replies(conversation)) == 1

    back = {"assignee_type": "AgentBot", "assignee_id": BOT}
    connected.as_emma(conversation, "/assignments", back)
    until(lambda: len(connected.replies(conversation)) == 2)
    connected.settled(id_, "reply")

    last = [one for one in chatwoot.of(conversation.id) if one.sender == chatwoot.bot][-1]
    chatwoot.fail(last, "The window of 24 hours is over")
    until(lambda: private_notes(connected, conversation))
    assert "could not deliver" in private_notes(connected, conversation)[0]
    assert connected.messages(id_)[-1]["public"] is False
    # What comes late and again starts nothing.
    assert chatwoot.target is not None
    for message in reversed(chatwoot.of(conversation.id)):
        by = message.sender
        hook = chatwoot.message_hook(message, "message_created", by)
        assert chatwoot.post(chatwoot.target, hook) == 202
    assert len(connected.runs(id_)) == 3
    assert len(connected.replies(conversation)) == 2
    assert set(chatwoot.answers) == {202}
    assert conversation.status == "pending"


def private_notes(connected: ChatwootConnected, conversation: ChatwootConversation) -> list[str]:
    """What people alone see."""
    return [one.content for one in connected.chatwoot.of(conversation.id) if one.private]
