"""What the scrip of docs/connect/request_tracker.md says about one transaction."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.connectors.connector import Opened
from app.connectors.errors import MalformedHookError
from app.connectors.hooks import Event, Kind, unix_seconds
from app.connectors.request_tracker.settings import RequestTrackerSettings

Digits = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,17}$")]
Short = Annotated[str, Field(max_length=250)]
SYSTEM, UNOWNED = "RT_System", "Nobody"
PUBLIC = ("Create", "Correspond")


class _Said(BaseModel):
    """JSON with the types that the scrip writes; fields of a later scrip are dropped."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)


class _Transaction(_Said):
    id: Digits
    type: Short
    field: Short | None = None
    creator: Annotated[str, Field(min_length=1, max_length=250)]
    privileged: bool
    requestor: bool


class _Ticket(_Said):
    id: Digits
    owner: Annotated[str, Field(min_length=1, max_length=250)]


class _Data(_Said):
    transaction: _Transaction
    ticket: _Ticket


class _Hook(_Said):
    data: _Data
    timestamp: Annotated[str | None, Field(max_length=50)] = None


def read_hook(opened: Opened, document: Any) -> Event:
    """The one fact of a hook.

    Raises:
        MalformedHookError: another scrip wrote it, or an older one.
    """
    try:
        hook = _Hook.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise MalformedHookError(f"{where}: {first['type']}") from None
    data = hook.data
    kind = _kind(opened.settings, data.transaction, data.ticket.owner)
    return Event(
        kind=kind or "nothing",
        ticket_id=data.ticket.id,
        message_id=data.transaction.id if kind and data.transaction.type in PUBLIC else None,
        who=_who(data) if kind == "person" else None,
        why=None if kind else _why(opened.settings, data.transaction),
        order=int(data.transaction.id),
        written_at=unix_seconds(hook.timestamp or ""),
    )


def _kind(settings: RequestTrackerSettings, done: _Transaction, owner: str) -> Kind | None:
    """What a transaction means for the bot; None for what means nothing."""
    bot = settings.bot.casefold()
    ours = owner == UNOWNED or owner.casefold() == bot
    if done.creator.casefold() == bot:
        return None
    if done.creator == SYSTEM:
        # A scrip of the desk may assign people; that it takes one away is no hand-back.
        return "person" if done.field == "Owner" and not ours else None
    customer = done.requestor or done.creator in settings.intake
    if done.type in PUBLIC:
        # A stranger's mail into the ticket is no customer's, so people look at it.
        return "message" if customer else "person"
    if done.field == "Owner":
        return "handback" if ours else "person"
    return "person" if done.type == "Status" and done.privileged and not customer else None


def _who(data: _Data) -> str:
    """The person who has the ticket now: its new owner, or who did something in it."""
    return data.ticket.owner if data.transaction.field == "Owner" else data.transaction.creator


def _why(settings: RequestTrackerSettings, done: _Transaction) -> str:
    """Why a transaction means nothing for the bot."""
    if done.creator == SYSTEM:
        return "RT did it by itself"
    if done.creator.casefold() == settings.bot.casefold():
        return "the bot did it"
    if done.type == "Comment":
        return "a private note"
    return "a customer changed the status" if done.type == "Status" else "another field changed"
