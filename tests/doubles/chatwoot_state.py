"""What happens within our stand-in for Chatwoot: conversations, messages, who has them, hooks."""

import itertools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

JsonObject = dict[str, Any]
ACCOUNT, INBOX, BOT, EMMA, READER, ROOT, ANN = 1, 3, 9, 21, 22, 23, 89
KINDS = {"incoming": 0, "outgoing": 1, "activity": 2, "template": 3}
MOST_CHARACTERS = 150_000


class UnprocessableError(Exception):
    """What Chatwoot answers 422 to, in its words."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A contact, a user or the agent bot."""

    id: int
    type: str
    name: str
    email: str | None = None
    token: str = ""


@dataclass(slots=True)
class ChatwootMessage:
    """A message."""

    id: int
    conversation_id: int
    kind: str
    content: str
    private: bool
    sender: Speaker | None
    content_attributes: JsonObject
    status: str = "sent"
    created_at: int = field(default_factory=lambda: int(time.time()))


@dataclass(slots=True)
class ChatwootConversation:
    """A conversation. `bot` says whether it is assigned to the bot."""

    id: int
    status: str = "pending"
    assignee: Speaker | None = None
    bot: bool = False
    team_id: int | None = None
    priority: str | None = None
    labels: list[str] = field(default_factory=list)
    hmac_verified: bool = False
    can_reply: bool = True
    subject: str | None = None


class ChatwootState:
    """One account with one inbox that the bot answers; `emit` gets each event of the bot."""

    def __init__(self) -> None:
        self.bot = Speaker(BOT, "agent_bot", "deskgraph", token="bot-token-of-9")
        self.users = {
            EMMA: Speaker(EMMA, "user", "Emma", "emma@desk.test", "token-of-emma"),
            READER: Speaker(READER, "user", "Reader", "reader@desk.test", "token-of-reader"),
            ROOT: Speaker(ROOT, "user", "Root", "root@desk.test", "token-of-root"),
        }
        self.contact = Speaker(ANN, "contact", "Ann", "ann@customer.test")
        self.identifier: str | None = None
        self.contact_attributes: JsonObject = {}
        self.teams = {1: "General", 2: "Finance"}
        self.known_labels = {"billing", "vip", "refund", "vip-customer", "bot"}
        self.conversations: dict[int, ChatwootConversation] = {}
        self.messages: dict[int, ChatwootMessage] = {}
        # A version that stores two attributes of a message only.
        self.keeps_attributes = True
        self.messages_left = 10_000
        self.emit: Callable[[JsonObject], None] = lambda document: None
        self._ids = itertools.count(1000)

    def open(self, text: str) -> ChatwootConversation:
        """The contact begins a conversation, which is the bot's."""
        made = ChatwootConversation(len(self.conversations) + 1)
        self.conversations[made.id] = made
        self.customer_writes(made, text)
        return made

    def customer_writes(self, conversation: ChatwootConversation, text: str) -> ChatwootMessage:
        """A resolved conversation of a bot's inbox is pending again; a snoozed one is open."""
        message = self.add(conversation, self.contact, text, kind="incoming")
        back = {"resolved": "pending", "snoozed": "open"}
        if conversation.status in back:
            self.set_status(conversation, back[conversation.status], self.contact)
        return message

    def add(
        self, conversation: ChatwootConversation, sender: Speaker | None, text: str,
        *, kind: str = "outgoing", private: bool = False, attributes: JsonObject | None = None,
    ) -> ChatwootMessage:  # fmt: skip
        """A message of anyone, as message_builder.rb and liquidable.rb make it."""
        if len(text) > MOST_CHARACTERS:
            raise UnprocessableError("Validation failed: Content is too long")
        if self.messages_left <= 0:
            raise UnprocessableError("Validation failed: Too many messages")
        self.messages_left -= 1
        content = self.rendered(text) if kind == "outgoing" else text
        known = dict(attributes or {}) if self.keeps_attributes else {}
        message = ChatwootMessage(
            next(self._ids), conversation.id, kind, content, private, sender, known
        )
        self.messages[message.id] = message
        if kind != "activity":
            self.emit(self.message_hook(message, "message_created", sender))
        return message

    def rendered(self, text: str) -> str:
        """Liquid: code is left alone, what stands in braces is run."""
        pieces = re.split(r"(`.*?`)", text, flags=re.DOTALL)
        return "".join(
            piece if piece.startswith("`") else re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "Ann", piece)
            for piece in pieces
        )

    def fail(self, message: ChatwootMessage, why: str) -> None:
        """The channel could not deliver it, and says so later."""
        message.status = "failed"
        message.content_attributes = {**message.content_attributes, "external_error": why}
        self.emit(self.message_hook(message, "message_updated", None))

    def edit(self, message: ChatwootMessage, text: str) -> None:
        """The contact corrects what they wrote, in a channel that lets them."""
        message.content = text
        self.emit(self.message_hook(message, "message_updated", self.contact))

    def set_status(self, conversation: ChatwootConversation, status: str, by: Speaker) -> None:
        """As `toggle_status`; an agent who opens a conversation has it."""
        before, conversation.status = conversation.status, status
        if status == "open" and by.type == "user":
            conversation.assignee, conversation.bot = by, False
        if before == status:
            return
        self._note(conversation, f"Conversation was marked {status} by {by.name}")
        changed = [{"status": {"previous_value": before, "current_value": status}}]
        names = ["conversation_status_changed", "conversation_updated"]
        if status in ("open", "resolved"):
            names.append("conversation_opened" if status == "open" else "conversation_resolved")
        for name in names:
            self.emit(self.conversation_hook(conversation, name, by, changed))

    def assign(self, conversation: ChatwootConversation, person: Speaker, by: Speaker) -> None:
        """As assignment_service.rb does: one that was assigned to the bot is opened."""
        if conversation.assignee == person:
            return
        was_bots = conversation.bot
        conversation.assignee, conversation.bot = person, False
        self._note(conversation, f"Assigned to {person.name} by {by.name}")
        changed = [{"assignee_id": {"previous_value": None, "current_value": person.id}}]
        self.emit(self.conversation_hook(conversation, "conversation_updated", by, changed))
        if was_bots and conversation.status == "pending":
            self.set_status(conversation, "open", by)

    def assign_bot(self, conversation: ChatwootConversation, by: Speaker) -> None:
        """The conversation is the bot's: pending, without a person."""
        if conversation.bot and conversation.status == "pending":
            return
        conversation.assignee, conversation.bot = None, True
        self._note(conversation, f"Assigned to {self.bot.name} by {by.name}")
        changed = [{"assignee_agent_bot_id": {"previous_value": None, "current_value": BOT}}]
        self.emit(self.conversation_hook(conversation, "conversation_updated", by, changed))
        self.set_status(conversation, "pending", by)

    def of(self, conversation_id: int) -> list[ChatwootMessage]:
        """Oldest first."""
        return [one for one in self.messages.values() if one.conversation_id == conversation_id]

    def _note(self, conversation: ChatwootConversation, text: str) -> None:
        self.add(conversation, None, text, kind="activity")

    # What Chatwoot says of them, in its hooks.

    def message_hook(self, message: ChatwootMessage, event: str, by: Speaker | None) -> JsonObject:
        """Message#webhook_data."""
        at = datetime.fromtimestamp(message.created_at, UTC).isoformat()
        return {
            "event": event, "id": message.id, "content": message.content, "content_type": "text",
            "content_attributes": message.content_attributes, "message_type": message.kind,
            "private": message.private, "source_id": None, "created_at": at,
            "status": message.status, "sender": person(message.sender),
            "account": {"id": ACCOUNT, "name": "Acme"}, "inbox": {"id": INBOX, "name": "Website"},
            "additional_attributes": {}, "performed_by": actor(by),
            "conversation": self.webhook_data(self.conversations[message.conversation_id]),
        }  # fmt: skip

    def conversation_hook(
        self, conversation: ChatwootConversation, event: str, by: Speaker, changed: list[JsonObject]
    ) -> JsonObject:
        """Conversation#webhook_data with what changed."""
        data = self.webhook_data(conversation)
        more = {"event": event, "changed_attributes": changed, "performed_by": actor(by)}
        return {**data, **more}

    def webhook_data(self, conversation: ChatwootConversation) -> JsonObject:
        """A conversation as event_data_presenter.rb shows it."""
        return {
            "id": conversation.id, "status": conversation.status, "inbox_id": INBOX,
            "labels": conversation.labels, "can_reply": conversation.can_reply,
            "channel": "Channel::WebWidget", "custom_attributes": {}, "snoozed_until": None,
            "meta": self.meta(conversation), "priority": conversation.priority,
            "waiting_since": 1_700_000_000, "messages": [], "updated_at": time.time(),
        }  # fmt: skip

    def meta(self, conversation: ChatwootConversation) -> JsonObject:
        """Who takes part."""
        has = self.bot if conversation.bot else conversation.assignee
        kind = {"agent_bot": "AgentBot", "user": "User"}.get(has.type) if has else None
        team = conversation.team_id
        contact = {
            "identifier": self.identifier, "phone_number": None, "additional_attributes": {},
            "custom_attributes": self.contact_attributes,
        }  # fmt: skip
        return {
            "sender": {**(person(self.contact) or {}), **contact},
            "assignee": person(has), "assignee_type": kind, "channel": "Channel::WebWidget",
            "team": {"id": team, "name": self.teams[team], "description": None} if team else None,
            "hmac_verified": conversation.hmac_verified,
        }  # fmt: skip


def person(speaker: Speaker | None) -> JsonObject | None:
    """A speaker; Chatwoot says null for none."""
    if speaker is None:
        return None
    return {"id": speaker.id, "name": speaker.name, "email": speaker.email, "type": speaker.type}


def actor(speaker: Speaker | None) -> JsonObject | None:
    """Who did it, as event_actor.rb says it."""
    return {"type": speaker.type, "id": speaker.id} if speaker else None
