"""What the two webhooks of docs/connect/zammad.md say: a new article, and a change of the owner."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from app.connectors.connector import Opened
from app.connectors.errors import ForgedHookError, MalformedHookError
from app.connectors.hooks import Event, happened_at, moment_of
from app.connectors.zammad.settings import UNOWNED, ZammadSettings

# Zammad's own numbers of the three senders, for a payload that leaves the name out.
SENDERS = {1: "Agent", 2: "Customer", 3: "System"}


def _id(said: Any) -> Any:
    """A number as Zammad writes it, or the text that a placeholder became."""
    return str(said) if isinstance(said, int) and not isinstance(said, bool) else said


Digits = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,17}$"), BeforeValidator(_id)]
Short = Annotated[str, Field(max_length=250)]


class _Said(BaseModel):
    """What Zammad writes; the many fields that we do not read are dropped, any may be null."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)


class _User(_Said):
    login: Short | None = None


class _Ticket(_Said):
    id: Digits
    customer_id: Digits | None = None


class _Article(_Said):
    id: Digits
    sender: Short | None = None
    sender_id: int | None = None
    internal: bool | None = None
    created_by: _User | None = None
    created_by_id: Digits | None = None
    origin_by_id: Digits | None = None
    created_at: Any = None


class _ArticleHook(_Said):
    ticket: _Ticket
    article: _Article | None = None


class _OwnerHook(_Said):
    """The custom payload of the second webhook; `at` is when the ticket was changed last."""

    ticket: Digits
    at: Any = None
    owner: Short | None = None
    tags: Annotated[str, Field(max_length=10_000)] | None = None


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> str:
    """The delivery's id, if one of the secrets ("whsec_...", as text) signed exactly this body.

    Zammad signs no time, and not its header X-Zammad-Delivery either: so the signature itself is
    the id, and a body that is sent again is a duplicate for good.

    Raises:
        ForgedHookError.
    """
    given = headers.get("x-hub-signature", "")
    for secret in secrets:
        signature = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
        if hmac.compare_digest(f"sha1={signature}".encode(), given.encode(errors="replace")):
            return f"sha1_{signature}"
    raise ForgedHookError("no secret of the connection signed this body")


def read_hook(opened: Opened, document: Any) -> Event:
    """The one fact of a hook.

    Raises:
        MalformedHookError: it is neither Zammad's default payload nor the one of the page.
    """
    try:
        if isinstance(document, dict) and document.get("deskgraph") == "owner":
            owned = _OwnerHook.model_validate(document)
            return happened_at(_of_owner(opened.settings, owned), moment_of(owned.at))
        hook = _ArticleHook.model_validate(document)
        at = moment_of(hook.article.created_at) if hook.article else None
        return happened_at(_of_article(opened.settings, hook), at)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise MalformedHookError(f"{where}: {first['type']}") from None


def _of_article(settings: ZammadSettings, hook: _ArticleHook) -> Event:
    """A message of the customer, or a person's; a private note and the bot's own are nothing."""
    ticket, article = hook.ticket, hook.article
    if article is None:
        return Event("nothing", ticket.id, why="no article")
    login = article.created_by.login if article.created_by else None
    sender = article.sender or SENDERS.get(article.sender_id or 0)
    if sender != "Customer" and settings.is_bot(login):
        return Event("nothing", ticket.id, why="the bot did it")
    if article.internal:
        return Event("nothing", ticket.id, why="a private note")
    if sender == "System":
        return Event("nothing", ticket.id, why="Zammad did it by itself")
    speaker = article.origin_by_id or article.created_by_id
    # What a thin payload leaves out stands in the ticket, which is read later.
    known = sender != "Agent" and (
        None in (speaker, ticket.customer_id)
        or speaker == ticket.customer_id
        or login in settings.intake
    )
    if known:
        return Event("message", ticket.id, message_id=article.id)
    return Event("person", ticket.id, message_id=article.id, who=login)


def _of_owner(settings: ZammadSettings, hook: _OwnerHook) -> Event:
    """Whose the ticket is now; without an owner it is the bot's if the tag says so."""
    if person := settings.person(hook.owner):
        return Event("person", hook.ticket, who=person)
    if settings.is_bot(hook.owner):
        return Event("handback", hook.ticket)
    tags = {tag.strip() for tag in (hook.tags or "").split(",")}
    if hook.owner == UNOWNED and settings.handback_tag in tags:
        return Event("handback", hook.ticket)
    return Event("nothing", hook.ticket, why="no owner, and no tag for the bot")
