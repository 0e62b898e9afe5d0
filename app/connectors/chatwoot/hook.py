"""What an agent bot's webhook says: every message of its inboxes, and changes of conversations."""

import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from app.connectors.chatwoot.rest import KEY
from app.connectors.chatwoot.settings import ChatwootSettings
from app.connectors.connector import Opened
from app.connectors.errors import ForgedHookError, MalformedHookError
from app.connectors.hooks import Event, happened_at, moment_of

TOLERANCE_SECONDS = 300
NAME_CHARS = 200
# Chatwoot's own numbers of the kinds of messages, which some versions write in place of the word.
KINDS = {0: "incoming", 1: "outgoing", 2: "activity", 3: "template"}
MESSAGES = ("message_created", "message_updated")
CONVERSATIONS = ("conversation_updated", "conversation_status_changed", "conversation_opened")
OF_BOTS = ("assignee_agent_bot_id", "ai_assignee_id", "ai_assignee_type")


def _id(said: Any) -> Any:
    return str(said) if isinstance(said, int) and not isinstance(said, bool) else said


def _word(said: Any) -> Any:
    return KINDS.get(said, "other") if isinstance(said, int) else said


Digits = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,17}$"), BeforeValidator(_id)]
Short = Annotated[str, Field(max_length=250)]
Attributes = Annotated[dict[str, Any], BeforeValidator(lambda said: {} if said is None else said)]


class _Said(BaseModel):
    """What Chatwoot writes; the many fields that we do not read are dropped, any may be null."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)


class _Actor(_Said):
    id: Digits | None = None
    type: Short | None = None
    name: Annotated[str, Field(max_length=1000)] | None = None


class _Account(_Said):
    id: int


class _Meta(_Said):
    assignee: _Actor | None = None
    assignee_type: Short | None = None


class _Conversation(_Said):
    id: Digits
    status: Short | None = None
    meta: Annotated[_Meta, BeforeValidator(lambda said: _Meta() if said is None else said)] = (
        _Meta()
    )

    @property
    def person(self) -> _Actor | None:
        """The person whom it is assigned to."""
        assignee, kind = self.meta.assignee, self.meta.assignee_type
        is_user = kind in (None, "User") and assignee and assignee.type in (None, "user")
        return assignee if is_user else None


class _MessageHook(_Said):
    id: Digits
    message_type: Annotated[str, BeforeValidator(_word)]
    private: bool | None = None
    status: Short | None = None
    created_at: Any = None
    content_attributes: Attributes = {}
    additional_attributes: Attributes = {}
    sender: _Actor | None = None
    performed_by: _Actor | None = None
    account: _Account | None = None
    conversation: _Conversation


class _ConversationHook(_Conversation):
    changed_attributes: list[dict[str, Any]] | None = None
    updated_at: Any = None
    performed_by: _Actor | None = None
    account: _Account | None = None


class _Named(_Said):
    event: Annotated[str, Field(max_length=100)]


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> str:
    """The delivery's id, if one of the secrets signed this body and time within five minutes.

    Chatwoot does not sign its header X-Chatwoot-Delivery, so the signature itself is the id.

    Raises:
        ForgedHookError.
    """
    given, at = headers.get("x-chatwoot-signature", ""), headers.get("x-chatwoot-timestamp", "")
    if not _is_now(at):
        raise ForgedHookError("the hook has no timestamp of the last five minutes")
    for secret in secrets:
        signed = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        if hmac.compare_digest(f"sha256={signed}".encode(), given.encode(errors="replace")):
            return f"sha256_{signed}"
    raise ForgedHookError("no secret of the connection signed this body just now")


def _is_now(at: str) -> bool:
    plain = at.isascii() and at.isdigit() and len(at) <= 12
    return plain and abs(time.time() - int(at)) <= TOLERANCE_SECONDS


def read_hook(opened: Opened, document: Any) -> Event:
    """The one fact of a hook.

    Raises:
        MalformedHookError: it is none of an agent bot's.
    """
    try:
        name = _Named.model_validate(document).event
        if name in MESSAGES:
            message = _MessageHook.model_validate(document)
            if _is_foreign(opened.settings, message.account):
                return Event("nothing", message.conversation.id, why="another account")
            return _of_message_hook(name, message)
        if name in CONVERSATIONS:
            hook = _ConversationHook.model_validate(document)
            if _is_foreign(opened.settings, hook.account):
                return Event("nothing", hook.id, why="another account")
            return happened_at(_of_conversation(name, hook), moment_of(hook.updated_at))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise MalformedHookError(f"{where}: {first['type']}") from None
    return Event("nothing", why="no event that matters")


def _of_message_hook(name: str, hook: _MessageHook) -> Event:
    ticket = hook.conversation.id
    if name == "message_updated":
        return _of_update(ticket, hook)
    return happened_at(_of_message(ticket, hook), moment_of(hook.created_at))


def _of_message(ticket: str, hook: _MessageHook) -> Event:
    if why := _no_news(hook):
        return Event("nothing", ticket, why=why)
    if hook.message_type == "incoming":
        return Event("message", ticket, message_id=hook.id)
    # Without a sender it was typed on a phone that is paired with the channel.
    who = hook.sender.name if hook.sender else None
    return Event("person", ticket, message_id=hook.id, who=who and who[:NAME_CHARS])


def _no_news(hook: _MessageHook) -> str | None:
    """Why a message is neither the customer's nor a person's to them; None when it is."""
    if hook.private:
        return "a private note"
    if hook.message_type == "incoming":
        return None
    if hook.message_type != "outgoing" or _is_automatic(hook):
        return "Chatwoot did it by itself"
    by_bot = hook.sender is not None and hook.sender.type == "agent_bot"
    return "the bot did it" if by_bot else None


def _of_update(ticket: str, hook: _MessageHook) -> Event:
    """What the channel said of a message of ours later; an edit is no new message."""
    failed = hook.status == "failed" or bool(hook.content_attributes.get("external_error"))
    key = hook.content_attributes.get(KEY)
    if failed and hook.message_type == "outgoing" and not hook.private and isinstance(key, str):
        return Event("failed", ticket, message_id=f"failed:{hook.id}", key=key)
    return Event("nothing", ticket, why="a message was edited, read or delivered")


def _is_automatic(hook: _MessageHook) -> bool:
    """Whether an automation rule or a campaign wrote it, which have no sender either."""
    by_rule = hook.performed_by is not None and hook.performed_by.type == "automation_rule"
    rule = hook.content_attributes.get("automation_rule_id")
    return bool(by_rule or rule or hook.additional_attributes.get("campaign_id"))


def _of_conversation(name: str, hook: _ConversationHook) -> Event:
    """Whose the conversation is now, if that is what changed."""
    if hook.performed_by and hook.performed_by.type == "agent_bot":
        return Event("nothing", hook.id, why="the bot did it")
    if not _is_moved(name, hook):
        return Event("nothing", hook.id, why="another field changed")
    if hook.person or hook.status == "open":
        name = hook.person.name or "" if hook.person else ""
        return Event("person", hook.id, who=name[:NAME_CHARS] or None)
    if hook.status == "pending":
        return Event("handback", hook.id)
    return Event("nothing", hook.id, why="neither the bot's nor a person's now")


def _is_moved(name: str, hook: _ConversationHook) -> bool:
    """Whether it changed hands; a version that does not say what changed is taken at its word."""
    if name != "conversation_updated" or hook.changed_attributes is None:
        return True
    changed = {field for change in hook.changed_attributes for field in change}
    return bool(changed & {"status", "assignee_id", *OF_BOTS})


def _is_foreign(settings: ChatwootSettings, account: _Account | None) -> bool:
    return account is not None and account.id != settings.account_id
