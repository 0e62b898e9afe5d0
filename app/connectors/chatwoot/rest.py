"""Chatwoot's application interface: the few calls that the connector makes, and their answers.

Read in the source of Chatwoot (messages_controller.rb, message_finder.rb, message_builder.rb,
conversations_controller.rb, assignment_service.rb, access_token_auth_helper.rb).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from app.connectors.answers import Attributes, NullableText, Wire, document_of, read_as
from app.connectors.chatwoot.settings import ChatwootSettings
from app.connectors.connector import Opened
from app.connectors.errors import SettingsError
from app.connectors.helpdesk import Gone, Refused
from app.connectors.http import HttpAnswer
from app.log.inert_text import inert_line
from tools.errors import UnavailableError

# It becomes a part of a path, so it is held to digits before it gets there.
NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
WORDS_CHARS = 300
NOT_FOUND = 404
KEY = "deskgraph_key"
# Chatwoot shows twenty messages at a time, and the newest 200 are read.
PER_PAGE, PAGES = 20, 10
INCOMING, OUTGOING = 0, 1
# Chatwoot's limit of calls is by the minute, and no header names it.
LIMIT_SECONDS = 60.0
FLOODED = "Too many messages"


class Sender(Wire):
    """Who wrote: a `contact`, a `user`, or an `agent_bot`."""

    id: int | None = None
    type: NullableText = ""
    name: NullableText = ""
    email: NullableText = ""


class Message(Wire):
    """One message or private note of a conversation."""

    id: int
    content: NullableText = ""
    message_type: int
    private: bool = False
    status: NullableText = ""
    content_attributes: Attributes = Field(default_factory=dict)
    sender: Sender | None = None

    @property
    def key(self) -> str | None:
        """Our key, if we posted it to a Chatwoot that keeps it."""
        key = self.content_attributes.get(KEY)
        return key if isinstance(key, str) else None


class Contact(Wire):
    """The conversation's contact."""

    id: int | None = None
    name: NullableText = ""
    identifier: str | int | None = None
    custom_attributes: Attributes = Field(default_factory=dict)


class Team(Wire):
    """A team."""

    id: int
    name: NullableText = ""


class Meta(Wire):
    """Who takes part in a conversation."""

    sender: Contact | None = None
    assignee: Sender | None = None
    assignee_type: str | None = None
    team: Team | None = None
    hmac_verified: bool | None = None


class _Last(Wire):
    id: int


class Conversation(Wire):
    """One conversation. `id` is the number that people see."""

    id: int
    status: str
    priority: str | None = None
    labels: tuple[str, ...] = ()
    can_reply: bool = True
    additional_attributes: Attributes = Field(default_factory=dict)
    meta: Meta = Meta()
    messages: tuple[_Last, ...] = ()

    @property
    def assigned(self) -> str | None:
        """The person whom it is assigned to."""
        assignee, kind = self.meta.assignee, self.meta.assignee_type
        if assignee and kind in (None, "User") and assignee.type in ("", "user"):
            return assignee.email or assignee.name or str(assignee.id)
        return None

    @property
    def person(self) -> str | None:
        """The same, or `people` when it stands open for all of them."""
        free = self.status in ("pending", "resolved")
        return self.assigned or (None if free else "people")

    @property
    def subject(self) -> str:
        """Of a mail; other channels have none."""
        said = self.additional_attributes.get("mail_subject")
        return said if isinstance(said, str) else ""

    def stamp(self, messages: list[Message]) -> str:
        """What changes with everything that is done to it, with its messages as they were read."""
        team = self.meta.team.id if self.meta.team else 0
        fields = (self.status, self.person, self.priority, team, *sorted(self.labels))
        return f"{last_id(messages)} {json.dumps(fields)}"


class _Page(Wire):
    payload: list[Message]


def last_id(messages: list[Message]) -> int:
    """The newest message's id; 0 without messages."""
    return max((message.id for message in messages), default=0)


@dataclass(frozen=True, slots=True)
class Rest:
    """Calls of one connection. Each raises UnavailableError, CredentialsError, SettingsError."""

    opened: Opened

    @property
    def settings(self) -> ChatwootSettings:
        """The connection's settings."""
        settings: ChatwootSettings = self.opened.settings
        return settings

    async def call(
        self, by: Literal["agent", "bot"], method: str, path: str, *,
        query: Mapping[str, str | int] | None = None, body: Any = None,
    ) -> HttpAnswer:  # fmt: skip
        """One call in the account; `path` holds nothing that a URL would read."""
        known = self.opened.credentials
        token = known.bot_token if by == "bot" else known.agent_token
        headers = {"api_access_token": token.get_secret_value()}
        url = f"{self.settings.account}{path}"
        return await self.opened.http.call_json(
            method, url, query=query, body=body, headers=headers, limit_seconds=LIMIT_SECONDS
        )

    async def conversation(self, ticket_id: str) -> Conversation | Gone | Refused:
        """The conversation now."""
        if not NUMBER.fullmatch(ticket_id):
            return Gone()
        answer = await self.call("agent", "GET", f"/conversations/{ticket_id}")
        return read_as(Conversation, answer.json()) if answer.ok else refusal(answer)

    async def messages(self, ticket_id: str) -> list[Message] | Gone | Refused:
        """Its newest messages, oldest first."""
        if not NUMBER.fullmatch(ticket_id):
            return Gone()
        found: list[Message] = []
        for _ in range(PAGES):
            query = {"before": found[0].id} if found else None
            path = f"/conversations/{ticket_id}/messages"
            answer = await self.call("agent", "GET", path, query=query)
            if not answer.ok:
                return refusal(answer)
            page = sorted(read_as(_Page, answer.json()).payload, key=lambda one: one.id)
            found = page + found
            if len(page) < PER_PAGE:
                break
        return found


def refusal(answer: HttpAnswer) -> Gone | Refused:
    """What a status from 400 to 499 means for a conversation.

    Raises:
        UnavailableError: too many messages for now.
    """
    words = words_of(answer)
    if FLOODED in words:
        raise UnavailableError("too many messages in this conversation", retry_after=LIMIT_SECONDS)
    return Gone() if answer.status == NOT_FOUND else Refused(words)


def require_list(answer: HttpAnswer, what: str) -> Any:
    """The answer's list, with or without an envelope. Raises SettingsError: it was refused."""
    if not answer.ok:
        raise SettingsError(f"Chatwoot does not show its {what}: {words_of(answer)}")
    said = answer.json()
    return said.get("payload") if isinstance(said, dict) else said


def words_of(answer: HttpAnswer) -> str:
    """Chatwoot's own words for operators, on one line and bounded."""
    said = document_of(answer)
    known = said if isinstance(said, dict) else {}
    words = known.get("error") or known.get("message") or known.get("description")
    return inert_line(words if isinstance(words, str) else f"HTTP {answer.status}", WORDS_CHARS)
