"""What each hook of an agent bot means, by shapes of Chatwoot's source and documentation."""

import copy
import hmac
import time
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.chatwoot import CHATWOOT
from app.connectors.chatwoot.hook import verify
from app.connectors.chatwoot.settings import ChatwootCredentials, ChatwootSettings
from app.connectors.chatwoot.texts import as_written, is_same, without_templates
from app.connectors.connector import Opened
from app.connectors.errors import ForgedHookError, MalformedHookError
from app.connectors.hooks import Event
from app.connectors.http import HttpClient
from tests.unit.hook_documents import with_value

# Message#webhook_data with what agent_bot_listener.rb adds.
CREATED: dict[str, Any] = {
    "event": "message_created", "id": 1234, "content": "My card was charged twice",
    "content_type": "text", "content_attributes": {}, "message_type": "incoming",
    "private": False, "source_id": None, "created_at": "2026-11-22T01:02:03Z",
    "sender": {"id": 89, "name": "Jane", "email": "jane@example.com", "type": "contact"},
    "account": {"id": 1, "name": "Acme"}, "inbox": {"id": 3, "name": "Website"},
    "additional_attributes": {},
    "conversation": {
        "id": 567, "status": "pending", "inbox_id": 3, "labels": ["vip"], "can_reply": True,
        "channel": "Channel::WebWidget", "custom_attributes": {},
        "meta": {"sender": {"id": 89}, "assignee": None, "assignee_type": None, "team": None,
                 "hmac_verified": False},
        "waiting_since": 1700000000, "priority": None,
    },
    "performed_by": {"type": "contact", "id": 89},
}  # fmt: skip
BOT = {"message_type": "outgoing", "sender": {"id": 9, "name": "deskgraph", "type": "agent_bot"},
       "performed_by": {"type": "agent_bot", "id": 9}}  # fmt: skip
EMMA = {"message_type": "outgoing", "sender": {"id": 21, "name": "Emma", "type": "user"},
        "performed_by": {"type": "user", "id": 21}}  # fmt: skip
PHONE = {"message_type": "outgoing", "sender": None, "performed_by": None}
RULE = {"message_type": "outgoing", "sender": None,
        "performed_by": {"type": "automation_rule", "id": 4}}  # fmt: skip
FAILED = {"event": "message_updated", "status": "failed", **BOT,
          "content_attributes": {"deskgraph_key": "k", "external_error": "window"}}  # fmt: skip
USER = {"id": 21, "name": "Emma", "type": "user"}


def hook(**fields: Any) -> Any:
    """A hook of another message."""
    return {**copy.deepcopy(CREATED), **fields}


def moved(event: str = "conversation_updated", **fields: Any) -> Any:
    """A hook of a conversation; `assignee` and `assignee_type` stand in its `meta`."""
    document = {**copy.deepcopy(CREATED["conversation"]), "event": event,
                "performed_by": {"type": "user", "id": 21}}  # fmt: skip
    for name in ("assignee", "assignee_type"):
        if name in fields:
            document["meta"][name] = fields.pop(name)
    return {**document, **fields}


def changed(*names: str) -> Any:
    """What changed of a conversation."""
    return [{name: {"previous_value": None, "current_value": 1}} for name in names]


def read(document: Any) -> Event:
    """The event of a hook."""
    opened = Opened(
        id="con_1",
        tenant_id="t",
        settings=ChatwootSettings(base_url="https://chat.example.com", account_id=1),
        credentials=ChatwootCredentials(
            bot_token=SecretStr("b"), agent_token=SecretStr("a"), webhook_secret=SecretStr("s")
        ),
        http=HttpClient(make_guard([])),
    )
    assert CHATWOOT.read_hook is not None
    assert opened.secrets == ("s",)
    return CHATWOOT.read_hook(opened, document)


BOT_DID, NOT_MOVED = "the bot did it", "another field changed"
BY_ITSELF, EDITED = "Chatwoot did it by itself", "a message was edited, read or delivered"


@pytest.mark.parametrize(
    ("document", "kind", "detail"),
    [
        (CREATED, "message", "1234"),
        (hook(message_type=0), "message", "1234"),
        (hook(**BOT), "nothing", BOT_DID),
        (hook(**BOT, private=True), "nothing", "a private note"),
        (hook(**EMMA), "person", "Emma"),
        (hook(**EMMA, private=True), "nothing", "a private note"),
        (hook(**PHONE), "person", None),
        (hook(**RULE), "nothing", BY_ITSELF),
        (hook(**PHONE, content_attributes={"automation_rule_id": 4}), "nothing", BY_ITSELF),
        (hook(**PHONE, additional_attributes={"campaign_id": 4}), "nothing", BY_ITSELF),
        (hook(message_type="template", sender=None), "nothing", BY_ITSELF),
        (hook(message_type=2, sender=None), "nothing", BY_ITSELF),
        # Updates: read, delivered, an edit of the customer; a delivery that failed later.
        (hook(event="message_updated"), "nothing", EDITED),
        (hook(event="message_updated", content="My card was charged thrice"), "nothing", EDITED),
        (hook(**{**FAILED, "status": "read", "content_attributes": {"deskgraph_key": "k"}}),
         "nothing", EDITED),
        (hook(**FAILED), "failed", "k"),
        (hook(**{**FAILED, "status": None}), "failed", "k"),
        (hook(**{**FAILED, "content_attributes": {}}), "nothing", EDITED),
        (hook(**{**FAILED, "private": True}), "nothing", EDITED),
        # Null and thin.
        (hook(private=None, content=None, content_attributes=None, additional_attributes=None,
              sender=None, performed_by=None, account=None), "message", "1234"),
        ({"event": "message_created", "id": 1234, "message_type": "incoming",
          "conversation": {"id": 567, "meta": None}}, "message", "1234"),
        # Another account of the same Chatwoot.
        (hook(account={"id": 2}), "nothing", "another account"),
        (moved(account={"id": 2}, assignee=USER), "nothing", "another account"),
        # Who has the conversation.
        (moved(assignee=USER, changed_attributes=changed("assignee_id")), "person", "Emma"),
        (moved(assignee=USER, assignee_type="User"), "person", "Emma"),
        (moved(assignee=USER, changed_attributes=changed("label_list")), "nothing", NOT_MOVED),
        (moved(changed_attributes=changed("priority")), "nothing", NOT_MOVED),
        (moved("conversation_opened", status="open"), "person", None),
        (moved("conversation_status_changed", status="open"), "person", None),
        (moved("conversation_status_changed", status="resolved"), "nothing",
         "neither the bot's nor a person's now"),
        (moved("conversation_status_changed", changed_attributes=changed("status")), "handback",
         None),
        (moved(changed_attributes=changed("assignee_agent_bot_id"), assignee_type="AgentBot",
               assignee={"id": 9, "name": "deskgraph", "type": "agent_bot"}), "handback", None),
        (moved(changed_attributes=changed("status"), assignee=USER), "person", "Emma"),
        (moved("conversation_status_changed", status="open",
               performed_by={"type": "agent_bot", "id": 9}), "nothing", BOT_DID),
        (moved("conversation_status_changed", performed_by=None), "handback", None),
    ],
)  # fmt: skip
def test_hook_is_one_fact(document: Any, kind: str, detail: str | None) -> None:
    """Messages have Chatwoot's id for good; nothing has a reason."""
    event = read(document)
    assert (event.kind, event.ticket_id) == (kind, "567")
    message_id = event.message_id if event.kind == "message" else None
    assert detail == (event.who or event.key or event.why or message_id)
    names = {"message": "1234", "person": "1234", "failed": "failed:1234"}
    is_message = document["event"].startswith("message_")
    assert event.message_id == (names.get(kind) if is_message else None)
    assert (event.why is not None) == (kind == "nothing")


@pytest.mark.parametrize("event", ["webwidget_triggered", "conversation_resolved", "new_event"])
def test_other_events_are_nothing(event: str) -> None:
    """Whatever else they hold."""
    assert read({"event": event, "id": "x"}).kind == "nothing"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), []),
        ((), "text"),
        ((), None),
        (("event",), None),
        (("event",), "x" * 1000),
        (("id",), None),
        (("id",), 0),
        (("id",), True),
        (("id",), "../8"),
        (("message_type",), None),
        (("private",), "no"),
        (("content_attributes",), "{}"),
        (("sender",), "Jane"),
        (("account",), {"id": "1"}),
        (("conversation",), None),
        (("conversation", "id"), "567 OR 1=1"),
        (("conversation", "meta"), []),
    ],
)
def test_what_no_chatwoot_wrote_is_malformed(path: tuple[str, ...], value: Any) -> None:
    """Said by its place; the value, which may be a customer's, is not repeated."""
    with pytest.raises(MalformedHookError) as caught:
        read(with_value(hook(), path, value))
    assert ".".join(path) in str(caught.value)
    assert "OR 1=1" not in str(caught.value)


BODY, SECRET = b'{"ticket_id":"42"}', "s3cr3t"
VECTOR = "sha256=cc6c25ca35798ac2f8f8a582c1d2aedd3d6da7e1cd6115cc041c83e198829956"


def signed(at: str, body: bytes = BODY) -> dict[str, str]:
    """The headers of a hook, as another program signs it."""
    mac = hmac.digest(SECRET.encode(), f"{at}.".encode() + body, "sha256").hex()
    return {"x-chatwoot-signature": f"sha256={mac}", "x-chatwoot-timestamp": at,
            "x-chatwoot-delivery": "d-1"}  # fmt: skip


def test_signature_is_that_of_time_and_body() -> None:
    """A vector made by another program shows the form; only one of now is taken."""
    assert signed("1700000000")["x-chatwoot-signature"] == VECTOR
    headers = signed(str(int(time.time())))
    id_ = verify(headers, BODY, ["whsec_new", SECRET])
    assert id_ == headers["x-chatwoot-signature"].replace("=", "_")
    assert verify({**headers, "x-chatwoot-delivery": "d-2"}, BODY, [SECRET]) == id_


@pytest.mark.parametrize("seconds", [-400, 400])
def test_hook_of_another_time_is_forged(seconds: int) -> None:
    """Also when it is signed well."""
    with pytest.raises(ForgedHookError):
        verify(signed(str(int(time.time()) + seconds)), BODY, [SECRET])


@pytest.mark.parametrize("at", ["", "now", "-5", "1e9", "٣", "9" * 5000, "1700000000.5"])
def test_timestamp_that_is_none_is_forged(at: str) -> None:
    """No text is read as a time for longer than it takes to see that it is none."""
    with pytest.raises(ForgedHookError):
        verify(signed(at), BODY, [SECRET])


def test_other_signature_is_forged() -> None:
    """Another body, another secret, none, or what no header should hold."""
    headers = signed(str(int(time.time())))
    for given, body, secrets in (
        (headers, BODY + b" ", [SECRET]),
        (headers, BODY, ["other"]),
        (headers, BODY, []),
        ({**headers, "x-chatwoot-signature": ""}, BODY, [SECRET]),
        ({**headers, "x-chatwoot-signature": "sha256=\udcff"}, BODY, [SECRET]),
    ):
        with pytest.raises(ForgedHookError):
            verify(given, body, secrets)


@pytest.mark.parametrize(
    "text",
    [
        "{{ x }}",
        "{% raw %}",
        "{{{{",
        "{{%",
        "{ {",
        "`{{x}}`",
        "{%{%",
        "a{",
        "",
        "{\u2060x}",
        "{" * 9,
    ],
)
def test_no_template_begins_in_what_goes_out(text: str) -> None:
    """And what comes back is what was written."""
    sent = without_templates(text)
    assert "{{" not in sent
    assert "{%" not in sent
    assert as_written(sent) == text
    assert is_same(sent, text)


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "chat.example.com"},
        {"base_url": "https://user:pass@chat.example.com"},
        {"account_id": 0},
        {"account_id": "one"},
        {"external_id_field": "a b"},
        {"no_such_setting": 1},
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any]) -> None:
    """When the connection is made, not when a ticket comes."""
    given = {"base_url": "https://chat.example.com", "account_id": 1, **settings}
    with pytest.raises(ValidationError):
        ChatwootSettings(**given)


@pytest.mark.parametrize("token", ["", "ü", "a b", "a\nX: y", "1" * 300])
def test_token_that_no_header_can_hold_is_refused(token: str) -> None:
    """The message does not repeat it."""
    with pytest.raises(ValidationError) as caught:
        ChatwootCredentials(
            bot_token=SecretStr(token), agent_token=SecretStr("a"), webhook_secret=SecretStr("s")
        )
    assert not token or token not in str(caught.value)
