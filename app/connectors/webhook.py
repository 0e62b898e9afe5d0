"""A helpdesk of the tenant's own, by signed JSON in both directions: docs/connect/webhook.md.

In: a hook signed as Standard Webhooks. Out: POSTs of ours, signed in the same way, to one address;
their `webhook-id` is the key under which the other side must do a thing once.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from uuid_utils.compat import uuid7

from app.adapters.webhooks.delivery import signed_headers
from app.connectors.addresses import CallableUrl
from app.connectors.connector import Check, Connector, DeskFields, Fields, Opened
from app.connectors.errors import CredentialsError, MalformedHookError, SettingsError
from app.connectors.helpdesk import (
    GONE_VIEW,
    AlreadyPosted,
    Answer,
    Author,
    Change,
    Closed,
    DeskMessage,
    Gone,
    Helpdesk,
    Overtaken,
    Posted,
    Refused,
    Requester,
    TicketView,
)
from app.connectors.hooks import Event, unix_seconds, verify_standard_webhook
from app.connectors.http import HttpAnswer
from tools.errors import UnavailableError

Id = Annotated[str, Field(min_length=1, max_length=100)]
GONE, OVERTAKEN, UNPROCESSABLE = (404, 410), (409, 412), 422
MAX_WHY = 200
# A key that a header holds as it is.
HEADER = re.compile(r"[!-~]{1,255}")


class WebhookSettings(DeskFields):
    """Where our calls go."""

    url: Annotated[CallableUrl, Field(min_length=1, max_length=2048)]


class WebhookCredentials(Fields):
    """None: both directions are signed with the connection's secret."""


class _Foreign(BaseModel):
    """What another program sends: fields that we do not know are ignored, numbers are names too."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, coerce_numbers_to_str=True)


class _Person(_Foreign):
    id: Id
    external_id: Id | None = None
    name: Annotated[str, Field(max_length=200)] | None = None
    verified: bool = False


class _Message(_Foreign):
    id: Id
    author: Author
    public: bool = True
    text: Annotated[str, Field(max_length=200_000)] = ""
    html: bool = False
    key: Annotated[str, Field(max_length=500)] | None = None


class _Ticket(_Foreign):
    version: Id
    subject: Annotated[str, Field(max_length=1000)] = ""
    status: Annotated[str, Field(max_length=100)] = "open"
    closed: bool = False
    assignee: Annotated[str, Field(max_length=200)] | None = None
    requester: _Person
    messages: Annotated[list[_Message], Field(max_length=1000)]


class _Done(_Foreign):
    id: Annotated[str, Field(max_length=200)] = ""
    already: bool = False


class _Hook(_Foreign):
    type: Annotated[str, Field(max_length=100)]
    data: dict[str, Any]
    timestamp: Annotated[str | None, Field(max_length=50)] = None


class _Spoken(_Foreign):
    """The part of a message that a hook must name."""

    id: Id
    author: Author
    public: bool = True
    key: Annotated[str, Field(max_length=500)] | None = None
    by: Annotated[str, Field(max_length=200)] | None = None


class _Named(_Foreign):
    id: Id


class WebhookDesk(Helpdesk):
    """The port over signed calls."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    async def read(self, ticket_id: str) -> TicketView:
        """Ask for the ticket: `ticket.read`."""
        answer = await self._call("ticket.read", {"ticket_id": ticket_id}, f"read_{uuid7()}")
        if answer.status in GONE:
            return GONE_VIEW
        _require_ok(answer)
        return _view(ticket_id, _parsed(_Ticket, answer, "ticket.read"))

    async def find_reply(self, ticket_id: str, key: str) -> str | None:
        """The message of the key, as the ticket has it."""
        view = await self.read(ticket_id)
        return next((message.id for message in view.messages if message.key == key), None)

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """Post for the customer: `ticket.reply`."""
        data = {"ticket_id": ticket_id, "key": key, "text": text, "expected_version": expect}
        return await self._post("ticket.reply", data, key)

    async def note(self, ticket_id: str, text: str, *, key: str) -> Answer:
        """Post for the tenant's people: `ticket.note`."""
        return await self._post(
            "ticket.note", {"ticket_id": ticket_id, "key": key, "text": text}, key
        )

    async def change(self, ticket_id: str, change: Change, *, key: str) -> Answer:
        """Change fields: `ticket.change`."""
        data = {
            "ticket_id": ticket_id,
            "key": key,
            "tags_add": list(change.tags_add),
            "tags_remove": list(change.tags_remove),
            "status": change.status,
            "priority": change.priority,
            "group": change.group,
            "assignee": change.assignee,
        }
        return await self._post("ticket.change", data, key)

    async def _post(self, kind: str, data: dict[str, Any], key: str) -> Answer:
        answer = await self._call(kind, data, key)
        if answer.ok:
            done = _parsed(_Done, answer, kind)
            return AlreadyPosted(done.id) if done.already else Posted(done.id)
        if answer.status in GONE:
            return Gone()
        if answer.status in OVERTAKEN:
            return Overtaken()
        if answer.status == UNPROCESSABLE and _code(answer) == "closed":
            return Closed()
        return Refused(": ".join(filter(None, (f"HTTP {answer.status}", _code(answer)))))

    async def _call(self, kind: str, data: dict[str, Any], key: str) -> HttpAnswer:
        now, name = datetime.now(UTC), key if HEADER.fullmatch(key) else _hashed(key)
        body = json.dumps({"type": kind, "timestamp": now.isoformat(), "data": data})
        headers = signed_headers(name, body, self._opened.secrets, now)
        return await self._opened.http.call(
            "POST", self._opened.settings.url, headers=headers, body=body.encode()
        )


def _hashed(key: str) -> str:
    return f"sha256_{hashlib.sha256(key.encode()).hexdigest()}"


def _require_ok(answer: HttpAnswer) -> None:
    if not answer.ok:
        raise SettingsError(f"ticket.read was answered with HTTP {answer.status}")


def _parsed(model: type[Any], answer: HttpAnswer, kind: str) -> Any:
    try:
        return model.model_validate(answer.json())
    except ValidationError as error:
        raise UnavailableError(f"{kind}: the answer does not fit: {_places(error)}") from None


def _code(answer: HttpAnswer) -> str | None:
    try:
        document = answer.json()
    except UnavailableError:
        return None
    code = document.get("code") if isinstance(document, dict) else None
    return code[:MAX_WHY] if isinstance(code, str) else None


def _places(error: ValidationError) -> str:
    """What does not fit where, without what stands there: it may be a customer's words."""
    found = [
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False)
    ]
    return "; ".join(found[:5])[:MAX_WHY]


def _name(ticket_id: str, message_id: str) -> str:
    """A message's id among those of all tickets: a desk may number those of each one."""
    return f"{len(ticket_id)}:{ticket_id}:{message_id}"


def _view(ticket_id: str, ticket: _Ticket) -> TicketView:
    messages = tuple(
        DeskMessage(m.id, m.author, m.public, m.text, m.html, m.key, name=_name(ticket_id, m.id))
        for m in ticket.messages
    )
    return TicketView(
        stamp=ticket.version,
        subject=ticket.subject,
        requester=Requester(**ticket.requester.model_dump()),
        messages=messages,
        status=ticket.status,
        assignee=ticket.assignee,
        closed=ticket.closed,
    )


def read_hook(_opened: Opened, document: Any) -> Event:
    """What a hook of the desk says. Raises MalformedHookError."""
    try:
        hook = _Hook.model_validate(document)
        ticket = _Named.model_validate(hook.data.get("ticket")).id
        at = unix_seconds(hook.timestamp or "")
        return replace(_event(hook, ticket), order=_order(at), written_at=at)
    except ValidationError as error:
        raise MalformedHookError(f"the hook does not fit: {_places(error)}") from None


def _order(at: float | None) -> int | None:
    """Microseconds: the desk's clock is all the order that its hooks have."""
    return None if at is None else round(at * 1_000_000)


def _event(hook: _Hook, ticket_id: str) -> Event:
    match hook.type:
        case "message.created":
            return _message_event(_Spoken.model_validate(hook.data.get("message")), ticket_id)
        case "ticket.taken":
            by = _Person.model_validate(hook.data.get("by"))
            return Event("person", ticket_id, who=by.name or by.id)
        case "ticket.handed_back":
            return Event("handback", ticket_id)
        case "reply.failed":
            key = hook.data.get("key")
            return Event("failed", ticket_id, key=key if isinstance(key, str) else None)
    return Event("nothing", ticket_id, why=f"type {hook.type!r} says nothing to us")


def _message_event(message: _Spoken, ticket_id: str) -> Event:
    if message.key or message.author == "bot":
        return Event("nothing", ticket_id, why="our own message")
    if not message.public:
        return Event("nothing", ticket_id, why="a private note")
    kinds: Mapping[str, Literal["message", "person"]] = {"customer": "message", "person": "person"}
    if message.author not in kinds:
        return Event("nothing", ticket_id, why="a message of the desk itself")
    name = _name(ticket_id, message.id)
    return Event(kinds[message.author], ticket_id, message_id=name, who=message.by)


async def test(opened: Opened) -> list[Check]:
    """Read a ticket that does not exist: it must be answered with 404 or 410."""
    try:
        view = await WebhookDesk(opened).read("deskgraph-test-of-the-connection")
    except UnavailableError as error:
        return [Check("reachable", ok=False, says=f"{opened.settings.url} gave no answer: {error}")]
    except (SettingsError, CredentialsError) as error:
        return [Check("reachable", ok=False, says=str(error))]
    if view.gone:
        return [Check("reachable", ok=True, says="It answers, and takes our signature.")]
    says = "It answered a ticket that cannot exist; it must answer 404 for one it does not know."
    return [Check("reachable", ok=False, says=says)]


WEBHOOK = Connector(
    kind="webhook",
    says="A helpdesk of your own, by signed JSON in both directions.",
    settings=WebhookSettings,
    credentials=WebhookCredentials,
    test=test,
    verify=verify_standard_webhook,
    read_hook=read_hook,
    desk=WebhookDesk,
)
