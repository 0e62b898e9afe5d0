"""What each of Zammad's two webhooks means, by the shapes of its documentation."""

import copy
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.connector import Opened
from app.connectors.errors import ForgedHookError, MalformedHookError
from app.connectors.hooks import Event
from app.connectors.http import HttpClient
from app.connectors.zammad import ZAMMAD
from app.connectors.zammad.hook import verify
from app.connectors.zammad.settings import ZammadCredentials, ZammadSettings
from tests.unit.hook_documents import with_value

# manage/webhook/payload.rst of Zammad's documentation, shortened, with the nulls it leaves out.
CREATED: dict[str, Any] = {
    "ticket": {
        "id": 81, "number": "10081", "title": "Webhook-Test", "state": "open", "state_id": 2,
        "priority": {"id": 2, "name": "2 normal", "note": None},
        "group": {"id": 3, "name": "Service Desk", "email_address_id": None},
        "owner": {"id": 5, "login": "emma@chrispresso.com"}, "owner_id": 5,
        "customer": {"id": 8, "login": "emily@example.com", "vip": False}, "customer_id": 8,
        "organization": None, "escalation_at": None, "article_count": 1, "article_ids": [104],
        "updated_at": "2020-11-13T14:34:35.333Z",
    },
    "article": {
        "id": 104, "ticket_id": 81, "sender": "Customer", "sender_id": 2, "type": "phone",
        "internal": False, "content_type": "text/html", "body": "This is a simple <b>test</b>",
        "from": "Emily Adams <emily@example.com>", "cc": None, "in_reply_to": None,
        "created_by": {"id": 3, "login": "chris@chrispresso.com"}, "created_by_id": 3,
        "origin_by": "emily@example.com", "origin_by_id": 8,
        "attachments": [{"id": 174, "url": "https://zammad.example.com/api/v1/ticket_attachment"}],
    },
}  # fmt: skip
OWNER = {
    "deskgraph": "owner", "ticket": "81", "at": "2020-11-13 14:34:35 UTC",
    "owner": "deskgraph@x.test", "tags": "vip, deskgraph",
}  # fmt: skip
BOT = {"sender": "Agent", "created_by": {"login": "Deskgraph@x.test"}, "created_by_id": 4,
       "origin_by_id": None}  # fmt: skip
EMMA = {"sender": "Agent", "created_by": {"login": "emma@chrispresso.com"}, "created_by_id": 5,
        "origin_by_id": None}  # fmt: skip
ANN = {"created_by": {"login": "emily@example.com"}, "created_by_id": 8, "origin_by_id": None}
EVE = {"created_by": {"login": "eve@evil.test"}, "created_by_id": 66, "origin_by_id": None}
SYSTEM = {"sender": "System", "created_by": {"login": "-"}, "created_by_id": 1}
NULLS = {"created_by": None, "created_by_id": None, "origin_by_id": None}


def read(document: Any, **settings: Any) -> Event:
    """The event of a hook, for a connection with the settings."""
    given = {"base_url": "https://zammad.example.com", "bot": "deskgraph@x.test", **settings}
    opened = Opened(
        id="con_1",
        tenant_id="t",
        settings=ZammadSettings(**given),
        credentials=ZammadCredentials(token=SecretStr("abc")),
        http=HttpClient(make_guard([])),
    )
    assert ZAMMAD.read_hook is not None
    return ZAMMAD.read_hook(opened, document)


def hook(**article: Any) -> Any:
    """A hook with another article."""
    document = copy.deepcopy(CREATED)
    document["article"].update(article)
    return document


def owner(**fields: Any) -> Any:
    """A hook of the second webhook."""
    return {**OWNER, **fields}


@pytest.mark.parametrize(
    ("document", "kind", "detail"),
    [
        (CREATED, "message", "104"),
        (hook(**ANN), "message", "104"),
        (hook(**BOT), "nothing", "the bot did it"),
        (hook(**BOT, internal=True), "nothing", "the bot did it"),
        (hook(**EMMA), "person", "emma@chrispresso.com"),
        (hook(**EMMA, internal=True), "nothing", "a private note"),
        (hook(**EVE), "person", "eve@evil.test"),
        # Triggers write by themselves, such as the confirmation that a ticket came.
        (hook(**SYSTEM), "nothing", "Zammad did it by itself"),
        ({**CREATED, "article": None}, "nothing", "no article"),
        # Thin: what is left out, the ticket tells when it is read.
        (hook(sender=None, sender_id=None, **NULLS), "message", "104"),
        (hook(sender=None, sender_id=3, **NULLS), "nothing", "Zammad did it by itself"),
        (hook(sender=None, sender_id=1, **NULLS), "person", None),
        ({"ticket": {"id": 81}, "article": {"id": 104}}, "message", "104"),
        ({"ticket": {"id": 81}, "article": {"id": 104, "internal": True}}, "nothing",
         "a private note"),
        (owner(), "handback", None),
        (owner(owner="DESKGRAPH@x.test"), "handback", None),
        (owner(owner="emma@chrispresso.com"), "person", "emma@chrispresso.com"),
        (owner(owner="-"), "handback", None),
        (owner(owner="-", tags="vip"), "nothing", "no owner, and no tag for the bot"),
        # A placeholder that Zammad does not know stays as words.
        (owner(owner="-", tags="#{ticket.tags / no such method}"), "nothing",
         "no owner, and no tag for the bot"),
        (owner(owner=None), "nothing", "no owner, and no tag for the bot"),
    ],
)  # fmt: skip
def test_hook_is_one_fact(document: Any, kind: str, detail: str | None) -> None:
    """Messages have the article's id for good; nothing has a reason."""
    event = read(document)
    assert (event.kind, event.ticket_id) == (kind, "81")
    said = event.who if kind == "person" else event.why or event.message_id
    assert said == detail
    assert (event.message_id == "104") == (kind in ("message", "person") and "article" in document)
    assert (event.why is not None) == (kind == "nothing")


def test_agents_who_enter_the_words_of_customers() -> None:
    """A web form's account writes as a customer, and is not the ticket's customer."""
    document = hook(created_by={"login": "form@x.test"}, created_by_id=9, origin_by_id=None)
    assert read(document).kind == "person"
    assert read(document, intake=["form@x.test"]).kind == "message"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), []),
        ((), "text"),
        ((), None),
        (("ticket",), None),
        (("ticket", "id"), None),
        (("ticket", "id"), True),
        (("ticket", "id"), -1),
        (("ticket", "id"), 10**30),
        (("ticket", "id"), "../8"),
        (("ticket", "id"), "81\n"),
        (("article",), "text"),
        (("article", "id"), 1.5),
        (("article", "internal"), "no"),
        (("article", "sender"), "x" * 1000),
        (("article", "created_by"), "chris"),
    ],
)
def test_what_no_zammad_wrote_is_malformed(path: tuple[str, ...], value: Any) -> None:
    """Said by its place; the value, which may be a customer's, is not repeated."""
    with pytest.raises(MalformedHookError) as caught:
        read(with_value(hook(), path, value))
    assert ".".join(path) in str(caught.value)
    assert "../8" not in str(caught.value)


@pytest.mark.parametrize("ticket", ["", "0", "#{ticket.id}", None, 1.5, ["81"]])
def test_payload_of_the_owner_that_was_not_filled_in_is_malformed(ticket: Any) -> None:
    """Such as by a placeholder that was typed wrongly."""
    with pytest.raises(MalformedHookError, match="ticket"):
        read(owner(ticket=ticket))


BODY, SIGNATURE = b'{"ticket_id":"42"}', "dba8301b6f84c498fed7917985a4fb9b32edeb3c"


def test_signature_is_that_of_the_raw_body() -> None:
    """A vector made by another program; any secret of the connection may have signed."""
    headers = {"x-hub-signature": f"sha1={SIGNATURE}", "x-zammad-delivery": "4b2f"}
    assert verify(headers, BODY, ["whsec_new", "s3cr3t"]) == f"sha1_{SIGNATURE}"


def test_body_that_is_sent_again_is_the_same_delivery() -> None:
    """Under whatever delivery header, which is not signed."""
    ids = {
        verify({"x-hub-signature": f"sha1={SIGNATURE}", "x-zammad-delivery": id_}, BODY, ["s3cr3t"])
        for id_ in ("1", "2")
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ("", BODY),
        (SIGNATURE, BODY),
        (f"sha1={SIGNATURE.upper()}", BODY),
        (f"sha1={SIGNATURE}", BODY + b" "),
        ("sha1=\udcff", BODY),
        (f"sha256={SIGNATURE}", BODY),
    ],
)
def test_other_signature_is_forged(given: str, body: bytes) -> None:
    """Also one that no header should hold."""
    with pytest.raises(ForgedHookError):
        verify({"x-hub-signature": given}, body, ["s3cr3t"])
    with pytest.raises(ForgedHookError):
        verify({}, body, [])


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "zammad.example.com"},
        {"base_url": "https://user:pass@zammad.example.com"},
        {"base_url": "https://zammad.example.com/?x=1"},
        {"bot": ""},
        {"external_id_field": "a/../b"},
        {"states": {"done": "closed"}},
        {"pending_days": 0},
        {"no_such_setting": 1},
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any]) -> None:
    """When the connection is made, not when a ticket comes."""
    with pytest.raises(ValidationError):
        ZammadSettings(**{"base_url": "https://zammad.example.com", "bot": "b", **settings})


@pytest.mark.parametrize("end", ["", "/", "/api/v1", "/api/v1/"])
def test_address_of_the_pages_or_of_the_interface(end: str) -> None:
    """People paste either."""
    settings = ZammadSettings(base_url=f"https://zammad.example.com{end}", bot="b")
    assert settings.api == "https://zammad.example.com/api/v1"


@pytest.mark.parametrize("token", ["", "ü", "a b", "a\nX: y", "1" * 300])
def test_token_that_no_header_can_hold_is_refused(token: str) -> None:
    """The message does not repeat it."""
    with pytest.raises(ValidationError) as caught:
        ZammadCredentials(token=SecretStr(token))
    assert not token or token not in str(caught.value)
