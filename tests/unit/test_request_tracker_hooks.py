"""What each hook of RT's scrip means, by shapes as RT 5.0.3 sent them."""

import copy
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.connector import Opened
from app.connectors.errors import MalformedHookError
from app.connectors.hooks import Event
from app.connectors.http import HttpClient
from app.connectors.request_tracker import REQUEST_TRACKER
from app.connectors.request_tracker.settings import (
    RequestTrackerCredentials,
    RequestTrackerSettings,
)
from tests.unit.hook_documents import with_value

# As the scrip of docs/connect/request_tracker.md wrote it.
CREATED = {
    "data": {
        "ticket": {"id": "7", "owner": "Nobody"},
        "transaction": {
            "creator": "ann@customer.test", "field": None, "id": "142", "privileged": False,
            "requestor": True, "type": "Create",
        },
    },
    "timestamp": "2026-11-29T16:44:43Z",
    "type": "rt.create",
}  # fmt: skip
PERSON: dict[str, Any] = {"creator": "emma", "privileged": True, "requestor": False}
BOT: dict[str, Any] = {"creator": "deskgraph", "privileged": True, "requestor": False}
SYSTEM: dict[str, Any] = {"creator": "RT_System", "privileged": False, "requestor": False}
STRANGER: dict[str, Any] = {"creator": "eve@evil.test", "privileged": False, "requestor": False}
OWNER: dict[str, Any] = {"type": "Set", "field": "Owner"}


def read(document: Any, **settings: Any) -> Event:
    """The event of a hook, for a connection with the settings."""
    given = {"base_url": "https://rt.example.com", "bot": "Deskgraph", **settings}
    opened = Opened(
        id="con_1",
        tenant_id="t",
        settings=RequestTrackerSettings(**given),
        credentials=RequestTrackerCredentials(token=SecretStr("1-27-abc")),
        http=HttpClient(make_guard([])),
    )
    assert REQUEST_TRACKER.read_hook is not None
    return REQUEST_TRACKER.read_hook(opened, document)


def hook(owner: str = "Nobody", **done: Any) -> Any:
    """A hook with another transaction."""
    document: Any = copy.deepcopy(CREATED)
    document["data"]["transaction"].update(done)
    document["data"]["ticket"]["owner"] = owner
    return document


@pytest.mark.parametrize(
    ("document", "kind", "detail"),
    [
        (CREATED, "message", "142"),
        (hook(type="Correspond"), "message", "142"),
        (hook(**BOT, type="Correspond"), "nothing", "the bot did it"),
        (hook(**SYSTEM, type="Status", field="Status"), "nothing", "RT did it by itself"),
        (hook(**PERSON, type="Correspond"), "person", "emma"),
        # A person who wrote the ticket themselves is its customer.
        (hook(creator="emma", privileged=True, type="Correspond"), "message", "142"),
        (hook(**PERSON, type="Create"), "person", "emma"),
        (hook(**STRANGER, type="Correspond"), "person", "eve@evil.test"),
        (hook(**PERSON, type="Comment"), "nothing", "a private note"),
        (hook(**BOT, type="Comment"), "nothing", "the bot did it"),
        (hook(**PERSON, **OWNER, owner="emma"), "person", "emma"),
        (hook(**PERSON, type="Steal", field="Owner", owner="emma"), "person", "emma"),
        (hook(**PERSON, **OWNER, owner="Nobody"), "handback", None),
        (hook(**PERSON, **OWNER, owner="deskgraph"), "handback", None),
        (hook(**BOT, **OWNER, owner="deskgraph"), "nothing", "the bot did it"),
        (hook(**PERSON, **OWNER, owner="tom"), "person", "tom"),
        # A scrip of the desk: it may assign a person, and gives no ticket to the bot.
        (hook(**SYSTEM, **OWNER, owner="emma"), "person", "emma"),
        (hook(**SYSTEM, **OWNER, owner="Nobody"), "nothing", "RT did it by itself"),
        (hook(**PERSON, type="Status", field="Status"), "person", "emma"),
        (hook(type="Status", field="Status"), "nothing", "a customer changed the status"),
        (hook(**PERSON, type="Set", field="Priority"), "nothing", "another field changed"),
    ],
)
def test_hook_is_one_fact(document: Any, kind: str, detail: str | None) -> None:
    """Messages have the transaction's id for good; nothing has a reason."""
    event = read(document)
    assert (event.kind, event.ticket_id) == (kind, "7")
    assert detail == (event.who or event.message_id or event.why)
    public = document["data"]["transaction"]["type"] in ("Create", "Correspond")
    assert (event.message_id is not None) == (kind != "nothing" and public)
    assert (event.why is not None) == (kind == "nothing")


def test_users_who_enter_the_words_of_customers() -> None:
    """A web form's account is no person."""
    document = hook(**PERSON, type="Create")
    assert read(document, intake=["emma"]).kind == "message"


def test_hook_of_another_scrip_is_read_as_far_as_it_goes() -> None:
    """What we do not know is dropped."""
    document = hook(content="text", more={"a": [1]})
    assert read(document).kind == "message"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), []),
        ((), "text"),
        ((), None),
        (("data",), None),
        (("data", "ticket"), []),
        (("data", "ticket", "id"), 7),
        (("data", "ticket", "id"), "7 OR 1=1"),
        (("data", "ticket", "id"), "../8"),
        (("data", "ticket", "id"), "7\n"),
        (("data", "ticket", "id"), "٧"),
        (("data", "ticket", "id"), "9" * 30),
        (("data", "ticket", "owner"), ""),
        (("data", "transaction", "id"), None),
        (("data", "transaction", "type"), 5),
        (("data", "transaction", "creator"), ""),
        (("data", "transaction", "creator"), "x" * 1000),
        (("data", "transaction", "privileged"), "yes"),
        (("data", "transaction", "requestor"), 1),
    ],
)
def test_what_no_scrip_of_ours_wrote_is_malformed(path: tuple[str, ...], value: Any) -> None:
    """Said by its place; the value, which may be a customer's, is not repeated."""
    with pytest.raises(MalformedHookError) as caught:
        read(with_value(hook(), path, value))
    assert ".".join(path) in str(caught.value) or "data" in str(caught.value)
    assert "OR 1=1" not in str(caught.value)


@pytest.mark.parametrize("name", ["id", "type", "creator", "privileged", "requestor"])
def test_missing_field_is_malformed(name: str) -> None:
    """An older scrip, which does not say who is a requestor, is one too."""
    document = hook()
    del document["data"]["transaction"][name]
    with pytest.raises(MalformedHookError, match=rf"data\.transaction\.{name}: missing"):
        read(document)


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "rt.example.com"},
        {"base_url": "ftp://rt.example.com"},
        {"base_url": "https://user:pass@rt.example.com"},
        {"base_url": "https://rt.example.com/?token=1"},
        {"base_url": "https://"},
        {"bot": ""},
        {"statuses": {"done": "resolved"}},
        {"priorities": {"high": "very"}},
        {"no_such_setting": 1},
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any]) -> None:
    """When the connection is made, not when a ticket comes."""
    with pytest.raises(ValidationError):
        RequestTrackerSettings(**{"base_url": "https://rt.example.com", "bot": "b", **settings})


@pytest.mark.parametrize(
    "base_url",
    ["https://rt.example.com", "https://rt.example.com/", "https://rt.example.com/REST/2.0/"],
)
def test_address_of_the_pages_or_of_the_interface(base_url: str) -> None:
    """People paste either."""
    settings = RequestTrackerSettings(base_url=base_url, bot="b")
    assert settings.rest2 == "https://rt.example.com/REST/2.0"


@pytest.mark.parametrize("token", ["", "1-27-ü", "1-27-a\nX: y", "1" * 300])
def test_token_that_no_header_can_hold_is_refused(token: str) -> None:
    """The message does not repeat it."""
    with pytest.raises(ValidationError) as caught:
        RequestTrackerCredentials(token=SecretStr(token))
    assert not token or token not in str(caught.value)
