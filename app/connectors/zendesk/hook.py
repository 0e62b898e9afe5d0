"""Zendesk's webhooks: who signed one, and the one fact that an event states.

Events come late, twice and in any order, and one action makes several of them.
"""

import base64
import hmac
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, ValidationError

from app.connectors.answers import Wire
from app.connectors.connector import Opened
from app.connectors.errors import ForgedHookError, MalformedHookError
from app.connectors.hooks import Event, happened_at, moment_of
from app.connectors.zendesk.settings import ZendeskSettings
from app.connectors.zendesk.shapes import Id, Maybe, MaybeList
from app.formats.strict_json import StrictJsonError, parse_json

SIGNATURE, TIMESTAMP = "x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp"
TOLERANCE_SECONDS = 300
TYPE = "zen:event-type:ticket."
# What the webhook must be subscribed to; the others are for more ways of handing back.
NEEDED = ("created", "comment_added", "status_changed", "agent_assignment_changed")
GROUP_CHANGED = f"{TYPE}group_assignment_changed"
NAME_CHARS = 200
DeliveryId = Annotated[str, Field(min_length=1, max_length=250)]
TicketId = Annotated[Id, Field(pattern=r"^[1-9][0-9]{0,17}$")]


class _Author(Wire):
    id: Id | None = None
    is_staff: bool | None = None
    name: str | None = None


class _Comment(Wire):
    id: Id | None = None
    is_public: bool | None = None
    author: Annotated[_Author, Maybe] = _Author()


class _Change(Wire):
    """What happened; of each type only some of these are there."""

    comment: _Comment | None = None
    current: Any = None
    tags_added: Annotated[tuple[Any, ...], MaybeList] = ()


class _Detail(Wire):
    id: TicketId
    actor_id: Id | None = None
    requester_id: Id | None = None


class _Hook(Wire):
    id: DeliveryId
    type: Annotated[str, Field(min_length=1, max_length=150)]
    time: Any = None
    detail: _Detail
    event: Annotated[_Change, Maybe] = _Change()


class _Envelope(Wire):
    id: DeliveryId


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> str:
    """The delivery's id, if one of the secrets signed exactly this body within five minutes of now.

    Raises:
        ForgedHookError, MalformedHookError.
    """
    at, given = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    right = [signature_of(secret, at, body) for secret in secrets]
    if not _is_recent(at) or not any(_is_same(one, given) for one in right):
        raise ForgedHookError("no secret of the connection signed this body just now")
    try:
        return _Envelope.model_validate(parse_json(body)).id
    except (StrictJsonError, ValidationError):
        raise MalformedHookError("the body is no event of Zendesk's") from None


def _is_recent(at: str) -> bool:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return False
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return abs(time.time() - moment.timestamp()) <= TOLERANCE_SECONDS


def signature_of(secret: str, at: str, body: bytes) -> str:
    """base64(HMAC-SHA256(secret, timestamp + body)), with nothing between the two.

    Source: "Verifying webhook authenticity" in Zendesk's documentation.
    """
    signed = at.encode(errors="replace") + body
    return base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()


def _is_same(right: str, given: str) -> bool:
    return hmac.compare_digest(right.encode(), given.encode(errors="replace"))


def read_hook(opened: Opened, document: Any) -> Event:
    """The one fact of an event.

    Raises:
        MalformedHookError: it is no event, such as the JSON of a trigger's own webhook.
    """
    try:
        hook = _Hook.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise MalformedHookError(f"{where}: {first['type']}") from None
    if not hook.type.startswith(TYPE):
        return Event("nothing", hook.detail.id, why="no event of a ticket")
    return happened_at(_fact(opened.settings, hook), moment_of(hook.time))


def _fact(settings: ZendeskSettings, hook: _Hook) -> Event:
    ticket = hook.detail.id
    if hook.detail.actor_id == settings.bot_id:
        return Event("nothing", ticket, why="the bot did it")
    match hook.type.removeprefix(TYPE):
        case "created":
            return Event("message", ticket)
        case "comment_added":
            return _commented(settings, hook)
        case "agent_assignment_changed":
            return _assigned(settings, hook)
        case "status_changed":
            return _status_changed(hook)
    return _other(settings, hook)


def _other(settings: ZendeskSettings, hook: _Hook) -> Event:
    """The ways of handing back that a tenant may choose beside the assignment."""
    event = hook.event
    tag = settings.handback_tag
    to_group = hook.type == GROUP_CHANGED and _is_id(event.current, settings.bot_group_id)
    if to_group or (tag is not None and tag in event.tags_added):
        return _handed_back(hook)
    return Event("nothing", hook.detail.id, why="another field changed")


def _status_changed(hook: _Hook) -> Event:
    actor = hook.detail.actor_id
    if _is_rule(actor) or actor == hook.detail.requester_id:
        return Event("nothing", hook.detail.id, why="a customer or a rule changed the status")
    return Event("person", hook.detail.id, who=actor)


def _commented(settings: ZendeskSettings, hook: _Hook) -> Event:
    ticket, comment = hook.detail.id, hook.event.comment
    if comment is None or comment.author.id is None:
        # Too little is said, so the ticket is read.
        return Event("message", ticket)
    author = comment.author
    if author.id == settings.bot_id:
        return Event("nothing", ticket, why="the bot did it")
    if comment.is_public is False:
        return Event("nothing", ticket, why="a private note")
    if _is_rule(author.id):
        return Event("nothing", ticket, why="a rule of Zendesk did it")
    if author.is_staff and author.id != hook.detail.requester_id:
        who = (author.name or str(author.id))[:NAME_CHARS]
        return Event("person", ticket, message_id=comment.id, who=who)
    return Event("message", ticket, message_id=comment.id)


def _assigned(settings: ZendeskSettings, hook: _Hook) -> Event:
    """A rule may give a ticket to a person; that it takes one away is no hand-back."""
    current = hook.event.current
    if current in (None, "", 0) or _is_id(current, settings.bot_id):
        return _handed_back(hook)
    return Event("person", hook.detail.id, who=str(current)[:NAME_CHARS])


def _handed_back(hook: _Hook) -> Event:
    if _is_rule(hook.detail.actor_id):
        return Event("nothing", hook.detail.id, why="a rule of Zendesk did it")
    return Event("handback", hook.detail.id)


def _is_id(said: Any, id_: str | None) -> bool:
    return id_ is not None and str(said) == id_


def _is_rule(actor: str | None) -> bool:
    """Whether no user did it."""
    return actor is None or actor.startswith("-")
