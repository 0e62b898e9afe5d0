"""What each event of Zendesk means, in the shapes of its documentation, and who signed it."""

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.connector import Opened
from app.connectors.errors import ForgedHookError, MalformedHookError
from app.connectors.hooks import Event
from app.connectors.http import HttpClient
from app.connectors.zendesk import ZENDESK, hook
from app.connectors.zendesk.settings import ZendeskCredentials, ZendeskSettings
from app.connectors.zendesk.texts import html_of
from tests.doubles.zendesk_hooks import signed
from tests.unit.hook_documents import with_value

BOT, EMMA, ANN, EVE = "9001", "8447388090495", "8447388090001", "8447388090002"
RULE = "-1"
COMMENT = {
    "account_id": 22129848,
    "id": "d4f5c389-8f4a-4c2e-a1b9-8e4f39c71d52",
    "type": "zen:event-type:ticket.comment_added",
    "zendesk_event_version": "2022-11-06",
    "subject": "zen:ticket:5158",
    "time": "2025-01-08T14:25:30.123456789Z",
    "detail": {
        "id": "5158", "subject": "Cannot login", "status": "OPEN", "priority": "HIGH",
        "requester_id": ANN, "submitter_id": ANN, "assignee_id": None, "group_id": "360001",
        "tags": ["vip"], "via": {"channel": "web"}, "is_public": True, "actor_id": ANN,
        "created_at": "2025-01-08T10:12:07Z", "updated_at": "2025-01-08T14:25:30Z",
    },
    "event": {
        "meta": {"sequence": {"id": "CE4A698AF24F35B3208649C6951E000E", "position": 1, "total": 2}},
        "comment": {
            "id": 9876543210, "body": "It fails again.", "is_public": True,
            "author": {"id": 8447388090001, "is_staff": False, "name": "Ann"},
        },
    },
}  # fmt: skip


def given(**settings: Any) -> dict[str, Any]:
    """Settings."""
    base = {"base_url": "https://acme.zendesk.com", "client_id": "deskgraph", "bot_id": BOT}
    return {**base, **settings}


def read(document: Any, **settings: Any) -> Event:
    """The event of a hook, for a connection with the settings."""
    opened = Opened(
        id="con_1",
        tenant_id="t",
        settings=ZendeskSettings(**given(**settings)),
        credentials=ZendeskCredentials(client_secret=SecretStr("s")),
        http=HttpClient(make_guard([])),
    )
    return hook.read_hook(opened, document)


def event(name: str, actor: str | None = EMMA, **said: Any) -> Any:
    """Another event of the ticket."""
    document: Any = copy.deepcopy(COMMENT)
    document |= {"type": f"zen:event-type:ticket.{name}", "event": said}
    document["detail"]["actor_id"] = actor
    return document


def comment(
    actor: str = ANN, *, public: Any = True, author: Any = None, staff: bool = False, **more: Any
) -> Any:
    """A comment of someone."""
    document: Any = copy.deepcopy(COMMENT)
    document["detail"]["actor_id"] = actor
    who = {"id": int(author or actor), "is_staff": staff, "name": "X"}
    document["event"]["comment"] |= {"is_public": public, "author": who, **more}
    return document


@pytest.mark.parametrize(
    ("document", "kind", "detail"),
    [
        (COMMENT, "message", "9876543210"),
        # The text was edited: the same comment, so it is a duplicate.
        (comment(body="It fails again, edited."), "message", "9876543210"),
        # The one in copy; the ticket is read, and people look at it.
        (comment(EVE), "message", "9876543210"),
        (comment(EMMA, staff=True), "person", "X"),
        # An agent who asked for something themselves is the customer of it.
        (comment(ANN, staff=True), "message", "9876543210"),
        (comment(EMMA, staff=True, public=False), "nothing", "a private note"),
        (comment(BOT, staff=True), "nothing", "the bot did it"),
        (comment(BOT, staff=True, public=False), "nothing", "the bot did it"),
        # A rule that the bot's update set going posts as the bot.
        (comment(EMMA, author=BOT, staff=True), "nothing", "the bot did it"),
        (comment(RULE), "nothing", "a rule of Zendesk did it"),
        # Null fields, and thin ones: the ticket is read.
        (comment(ANN, public=None), "message", "9876543210"),
        (event("comment_added", ANN), "message", None),
        (event("comment_added", None, comment=None), "message", None),
        (event("comment_added", None, comment={"id": 1, "author": None}), "message", None),
        (event("comment_added", ANN, comment={"author": {"id": int(ANN)}}), "message", None),
        (event("created", ANN), "message", None),
        (event("created", EMMA), "message", None),
        (event("created", BOT), "nothing", "the bot did it"),
        (event("status_changed", EMMA, current="SOLVED", previous="OPEN"), "person", EMMA),
        (event("status_changed", ANN, current="OPEN", previous="PENDING"), "nothing",
         "a customer or a rule changed the status"),
        (event("status_changed", RULE, current="CLOSED"), "nothing",
         "a customer or a rule changed the status"),
        (event("status_changed", None, current="CLOSED"), "nothing",
         "a customer or a rule changed the status"),
        (event("status_changed", BOT, current="PENDING"), "nothing", "the bot did it"),
        (event("agent_assignment_changed", EMMA, current=EMMA, previous=None), "person", EMMA),
        # Routing gives tickets to people by itself.
        (event("agent_assignment_changed", RULE, current=EMMA), "person", EMMA),
        (event("agent_assignment_changed", RULE, current=int(EMMA)), "person", EMMA),
        (event("agent_assignment_changed", EMMA, current=BOT, previous=EMMA), "handback", None),
        (event("agent_assignment_changed", EMMA, current=int(BOT)), "handback", None),
        (event("agent_assignment_changed", EMMA, current=None, previous=EMMA), "handback", None),
        (event("agent_assignment_changed", EMMA, current=""), "handback", None),
        (event("agent_assignment_changed", RULE, current=None), "nothing",
         "a rule of Zendesk did it"),
        (event("agent_assignment_changed", BOT, current=BOT), "nothing", "the bot did it"),
        (event("group_assignment_changed", EMMA, current="77"), "handback", None),
        (event("group_assignment_changed", EMMA, current="78"), "nothing", "another field changed"),
        (event("group_assignment_changed", RULE, current="77"), "nothing",
         "a rule of Zendesk did it"),
        (event("tags_changed", EMMA, tags_added=["to_bot"], tags_removed=None), "handback", None),
        (event("tags_changed", EMMA, tags_added=None), "nothing", "another field changed"),
        (event("tags_changed", EMMA, tags_added=["vip"]), "nothing", "another field changed"),
        (event("priority_changed", EMMA, current="HIGH"), "nothing", "another field changed"),
        (event("soft_deleted", EMMA), "nothing", "another field changed"),
        ({**COMMENT, "type": "zen:event-type:user.created"}, "nothing", "no event of a ticket"),
        ({**COMMENT, "event": None}, "message", None),
    ],
)  # fmt: skip
def test_event_is_one_fact(document: Any, kind: str, detail: str | None) -> None:
    """A comment's id names the message for good; the ticket's is that of the detail."""
    found = read(document, bot_group_id="77", handback_tag="to_bot")
    assert (found.kind, found.ticket_id) == (kind, "5158")
    assert detail == (found.who or found.message_id or found.why)
    assert (found.why is not None) == (kind == "nothing")


def test_ways_of_handing_back_are_the_tenants_choice() -> None:
    """Without a group or a tag in the settings neither means anything."""
    assert read(event("group_assignment_changed", EMMA, current="77")).kind == "nothing"
    assert read(event("tags_changed", EMMA, tags_added=["to_bot"])).kind == "nothing"
    assert read(event("tags_changed", EMMA, tags_added=[None])).kind == "nothing"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), []),
        ((), "text"),
        ((), None),
        # What a trigger's own webhook posts.
        ((), {"ticket_id": "35436", "custom": True}),
        (("id",), None),
        (("id",), "x" * 1000),
        (("type",), 7),
        (("detail",), None),
        (("detail", "id"), None),
        (("detail", "id"), "-1"),
        (("detail", "id"), "5158 OR 1=1"),
        (("detail", "id"), "../8"),
        (("detail", "id"), "5158\n"),
        (("detail", "id"), "٧"),
        (("detail", "id"), "9" * 30),
        (("detail", "actor_id"), "OR 1=1"),
        (("event",), "text"),
        (("event", "comment"), [1]),
        (("event", "comment", "id"), "OR 1=1"),
        (("event", "comment", "author"), "OR 1=1"),
    ],
)
def test_what_is_no_event_is_malformed(path: tuple[str, ...], value: Any) -> None:
    """Said by its place; the value, which may be a customer's, is not repeated."""
    with pytest.raises(MalformedHookError) as caught:
        read(with_value(COMMENT, path, value))
    assert ".".join(path) in str(caught.value)
    assert "OR 1=1" not in str(caught.value)


def verified(headers: dict[str, str], body: bytes, *secrets: str) -> str:
    """The delivery's id."""
    assert ZENDESK.verify is not None
    return ZENDESK.verify(headers, body, secrets)


def test_signature_is_that_of_zendesk() -> None:
    """A vector that another implementation made: timestamp and body with nothing between them."""
    vector = "a1YQ1MqjA+++g8HgRo3/YpdbQPnpm8YcSHBHjnG8s24="
    made = hook.signature_of("s3cr3t", "2023-11-14T22:13:20Z", b'{"ticket_id":"42"}')
    assert made == vector


def test_body_that_was_changed_is_forged() -> None:
    """And so is one that another's secret signed."""
    for body, secret in ((BODY + b" ", "s"), (BODY, "other")):
        with pytest.raises(ForgedHookError):
            verified(signed(BODY, "s"), body, secret)


BODY = json.dumps(COMMENT, ensure_ascii=False).encode()


def test_delivery_is_named_by_the_event() -> None:
    """Which a retry repeats; also beside a secret that signed nothing."""
    assert verified(signed(BODY, "s"), BODY, "whsec_x", "s") == COMMENT["id"]
    late = signed(BODY, "s", datetime.now(UTC) - timedelta(seconds=240))
    assert verified(late, BODY, "s") == COMMENT["id"]


@pytest.mark.parametrize("seconds", [-400, 400])
def test_old_hook_is_forged(seconds: int) -> None:
    """And so is one of the future."""
    headers = signed(BODY, "s", datetime.now(UTC) + timedelta(seconds=seconds))
    with pytest.raises(ForgedHookError):
        verified(headers, BODY, "s")


@pytest.mark.parametrize("name", ["", "-timestamp"])
@pytest.mark.parametrize("value", ["", "nan", "ü", "1700000000", "=" * 50, "9999-99-99T99:99:99Z"])
def test_header_of_no_zendesk_is_forged(name: str, value: str) -> None:
    """Whatever stands there."""
    headers = signed(BODY, "s") | {f"x-zendesk-webhook-signature{name}": value}
    with pytest.raises(ForgedHookError):
        verified(headers, BODY, "s")
    headers.pop(f"x-zendesk-webhook-signature{name}")
    with pytest.raises(ForgedHookError):
        verified(headers, BODY, "s")


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"\xff", b'{"id":""}', b'{"id":{}}'])
def test_signed_body_without_an_id_is_malformed(body: bytes) -> None:
    """It was signed, so it is no forgery."""
    with pytest.raises(MalformedHookError):
        verified(signed(body, "s"), body, "s")


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "acme.zendesk.com"},
        {"base_url": "https://acme.zendesk.com/agent"},
        {"base_url": "https://user:pass@acme.zendesk.com"},
        {"base_url": "ftp://acme.zendesk.com"},
        {"bot_id": "deskgraph"},
        {"bot_id": ""},
        {"bot_group_id": "Bot"},
        {"handback_tag": "To Bot"},
        {"client_id": ""},
        {"on_reply": {"state": "open"}},
        {"on_reply": {"group": "Finance"}},
        {"no_such_setting": 1},
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any]) -> None:
    """When the connection is made, not when a ticket comes."""
    with pytest.raises(ValidationError):
        ZendeskSettings(**given(**settings))


def test_address_may_end_with_a_slash() -> None:
    """As browsers copy it."""
    settings = ZendeskSettings(**given(base_url="https://acme.zendesk.com/"))
    assert settings.base_url == "https://acme.zendesk.com"


@pytest.mark.parametrize("name", ["client_secret", "refresh_token", "webhook_secret"])
@pytest.mark.parametrize("secret", ["ü", "a b", "a\nX: y", "x" * 3000])
def test_secret_that_is_none_is_refused(name: str, secret: str) -> None:
    """The message does not repeat it."""
    with pytest.raises(ValidationError) as caught:
        ZendeskCredentials.model_validate({"client_secret": "s", name: secret})
    assert secret not in str(caught.value)


def test_empty_answers_are_left_out() -> None:
    """As the command gives them when Enter is pressed."""
    credentials = ZendeskCredentials.model_validate(
        {"client_secret": "s", "refresh_token": "", "webhook_secret": ""}
    )
    assert (credentials.refresh_token, credentials.hook_secrets) == (None, ())


def test_text_becomes_html_that_shows_each_character() -> None:
    """Nothing of it is markup, Markdown or a placeholder."""
    assert html_of("a & <b>\r\n{{c}}") == (
        "<div>a &amp; &lt;b&gt;<br>\n&#123;&#123;c&#125;&#125;</div>"
    )
