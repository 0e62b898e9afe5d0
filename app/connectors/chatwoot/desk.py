"""Chatwoot as a helpdesk.

The bot has a conversation while it is pending and no person is assigned. Messages are read with an
agent's token and written with the bot's. Our key stands in `content_attributes` of the message;
a Chatwoot that does not keep it leaves the bot's own text to be found. There is no way to post only
on a conversation that did not change, so it is read just before.
"""

from dataclasses import dataclass

from app.connectors.answers import read_as
from app.connectors.chatwoot.changes import change_conversation
from app.connectors.chatwoot.rest import (
    INCOMING,
    KEY,
    OUTGOING,
    Contact,
    Conversation,
    Message,
    Rest,
    last_id,
    refusal,
)
from app.connectors.chatwoot.settings import IDENTIFIER, STATUSES, ChatwootSettings
from app.connectors.chatwoot.texts import as_written, is_same, without_templates
from app.connectors.connector import Opened
from app.connectors.errors import SettingsError
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

RESOLVED, PENDING, BOT = "resolved", "pending", "agent_bot"
WINDOW = (
    "The channel takes no free text now: the customer wrote too long ago. People may send a"
    " template of the channel."
)


@dataclass(frozen=True, slots=True)
class Chatwoot(Helpdesk):
    """One account, as an agent reads it and the bot writes to it."""

    rest: Rest

    async def read(self, ticket_id: str) -> TicketView:
        """The conversation as it is now. The stamp is older than the messages, never newer.

        Raises:
            SettingsError: Chatwoot does not show it to the agent.
        """
        found = await self.rest.conversation(ticket_id)
        messages = await self.rest.messages(ticket_id) if isinstance(found, Conversation) else found
        if isinstance(found, Gone) or isinstance(messages, Gone):
            return GONE_VIEW
        if isinstance(found, Refused) or isinstance(messages, Refused):
            why = found.why if isinstance(found, Refused) else "its messages are hidden"
            raise SettingsError(f"Chatwoot does not show the conversation: {why}")
        said = tuple(self._message(one) for one in messages)
        ours = {name: status for status, name in STATUSES.items()}
        return TicketView(
            stamp=found.stamp(messages),
            subject=found.subject,
            requester=self._requester(found),
            messages=said,
            status=ours.get(found.status, found.status),
            assignee=None if found.status == RESOLVED else found.person,
            closed=found.status == RESOLVED,
        )

    async def find_reply(self, ticket_id: str, key: str) -> str | None:
        """The message with the key."""
        messages = await self.rest.messages(ticket_id)
        return None if isinstance(messages, Gone | Refused) else _ours(messages, key, None)

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """Write to the customer, in a conversation that the bot has and that did not change."""
        messages = await self._unposted(ticket_id, text, key)
        if not isinstance(messages, list):
            return messages
        now = await self.rest.conversation(ticket_id)
        if isinstance(now, Gone | Refused):
            return now
        if (no := _obstacle(now, messages, expect)) is not None:
            return no
        return await self._post(ticket_id, text, key, private=False)

    async def note(self, ticket_id: str, text: str, *, key: str) -> Answer:
        """A private note, whether the bot or a person has the conversation."""
        messages = await self._unposted(ticket_id, text, key)
        if not isinstance(messages, list):
            return messages
        return await self._post(ticket_id, text, key, private=True)

    async def change(self, ticket_id: str, change: Change, *, key: str) -> Answer:
        """Change status, priority, labels, team and assignee, each by a call of its own."""
        return await change_conversation(self.rest, ticket_id, change)

    @property
    def settings(self) -> ChatwootSettings:
        """The connection's settings."""
        return self.rest.settings

    def _message(self, message: Message) -> DeskMessage:
        mail = message.content_attributes.get("email")
        automatic = isinstance(mail, dict) and bool(mail.get("auto_reply"))
        return DeskMessage(
            id=str(message.id),
            author=author_of(message),
            public=not message.private,
            text=as_written(message.content),
            key=message.key,
            headers={"auto-submitted": "auto-replied"} if automatic else {},
        )

    def _requester(self, found: Conversation) -> Requester:
        """The contact; verified when the widget proved who they are (`hmac_verified`)."""
        contact = found.meta.sender or Contact()
        field = self.settings.external_id_field
        attributes = contact.custom_attributes
        said = contact.identifier if field == IDENTIFIER else attributes.get(field)
        known = str(said).strip() if isinstance(said, str | int) else ""
        return Requester(
            id=str(contact.id or ""),
            external_id=known or None,
            name=contact.name or None,
            verified=bool(known and found.meta.hmac_verified),
        )

    async def _unposted(self, ticket_id: str, text: str, key: str) -> list[Message] | Answer:
        """The messages, none of which is what shall be posted; else what became of that."""
        messages = await self.rest.messages(ticket_id)
        if isinstance(messages, Gone | Refused):
            return messages
        found = _ours(messages, key, text)
        return AlreadyPosted(found) if found else messages

    async def _post(self, ticket_id: str, text: str, key: str, *, private: bool) -> Answer:
        body = {
            "content": without_templates(text),
            "message_type": "outgoing",
            "private": private,
            "content_attributes": {KEY: key},
        }
        path = f"/conversations/{ticket_id}/messages"
        answer = await self.rest.call("bot", "POST", path, body=body)
        if not answer.ok:
            return refusal(answer)
        return Posted(str(read_as(Message, answer.json()).id))


def author_of(message: Message) -> Author:
    """Who speaks. A reply without a sender came from a phone that is paired with the channel."""
    if message.message_type == INCOMING:
        return "customer"
    automatic = message.content_attributes.get("automation_rule_id")
    if message.message_type != OUTGOING or automatic:
        return "system"
    return "bot" if message.sender and message.sender.type == BOT else "person"


def _obstacle(now: Conversation, messages: list[Message], expect: str) -> Answer | None:
    """Why no reply may be posted now; None when it may."""
    if now.status == RESOLVED:
        return Closed()
    # The conversation shows its last message, and so one that came since they were listed.
    newer = any(last.id > last_id(messages) for last in now.messages)
    if newer or now.stamp(messages) != expect or now.status != PENDING or now.person:
        return Overtaken()
    return None if now.can_reply else Refused(WINDOW)


def _ours(messages: list[Message], key: str, text: str | None) -> str | None:
    """Our message with the key, or the bot's own with the text and no key at all."""
    for message in messages:
        if message.key == key:
            return str(message.id)
    for message in messages:
        bare = author_of(message) == "bot" and message.key is None
        if text is not None and bare and is_same(message.content, text):
            return str(message.id)
    return None


def desk(opened: Opened) -> Chatwoot:
    """The desk of a connection."""
    return Chatwoot(Rest(opened))
