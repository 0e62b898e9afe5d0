"""Zammad's REST interface: the few calls that the connector makes, and what their answers say.

Read in the source of Zammad (tickets_controller.rb, ticket_articles_controller.rb,
creates_ticket_articles.rb) and its documentation; docs/connect/zammad.md says what was not run.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, Field

from app.connectors.answers import Attributes, NullableText, Wire, document_of, read_as
from app.connectors.connector import Opened
from app.connectors.errors import SettingsError
from app.connectors.helpdesk import Gone, Refused
from app.connectors.http import AnswerTooLongError, HttpAnswer
from app.connectors.zammad.settings import ZammadSettings
from app.log.inert_text import inert_line

# It becomes a part of a path, so it is held to digits before it gets there.
NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
WORDS_CHARS = 300
NOT_FOUND, FORBIDDEN = 404, 403
KEY = "deskgraph_key"
# Zammad's own number of the article type `email`.
EMAIL_TYPE = 1
# So many articles are read of a ticket whose articles do not fit into one answer.
NEWEST = 20


class Ticket(Wire):
    """One ticket with the names of what it points to."""

    id: int
    title: NullableText = ""
    state: str
    priority: NullableText = ""
    group: str
    owner: NullableText = ""
    customer_id: int
    article_count: int | None = None
    article_ids: tuple[int, ...] = ()
    updated_at: str

    @property
    def stamp(self) -> str:
        """What changes with everything that is done to it: Zammad touches it for each article."""
        return f"{self.updated_at} {self.article_count} {self.owner} {self.state}"


class Article(Wire):
    """One message or note of a ticket."""

    id: int
    sender: NullableText = ""
    type: NullableText = ""
    internal: bool
    body: NullableText = ""
    content_type: NullableText = ""
    created_by: NullableText = ""
    created_by_id: int
    origin_by_id: int | None = None
    message_id: NullableText = ""
    preferences: Attributes = Field(default_factory=dict)

    @property
    def key(self) -> str | None:
        """Our key, if we posted it."""
        key = self.preferences.get(KEY)
        return key if isinstance(key, str) else None

    @property
    def speaker_id(self) -> int:
        """Whose words they are: an agent may enter those of a customer."""
        return self.origin_by_id or self.created_by_id


class User(Wire):
    """A user, with the attributes that the tenant added."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: int
    login: NullableText = ""
    email: NullableText = ""
    firstname: NullableText = ""
    lastname: NullableText = ""


@dataclass(frozen=True, slots=True)
class Rest:
    """Calls of one connection. Each raises UnavailableError, CredentialsError, SettingsError."""

    opened: Opened

    @property
    def settings(self) -> ZammadSettings:
        """The connection's settings."""
        settings: ZammadSettings = self.opened.settings
        return settings

    async def call(
        self, method: str, path: str, *, query: Mapping[str, str | int] | None = None,
        body: Any = None,
    ) -> HttpAnswer:  # fmt: skip
        """One call; `path` begins with a slash and holds nothing that a URL would read."""
        token = self.opened.credentials.token.get_secret_value()
        headers = {"Authorization": f"Token token={token}"}
        url = f"{self.settings.api}{path}"
        return await self.opened.http.call_json(
            method, url, query=query, body=body, headers=headers
        )

    async def ticket(self, ticket_id: str) -> Ticket | Gone | Refused:
        """The ticket now; Gone too when it was merged into another one."""
        if not NUMBER.fullmatch(ticket_id):
            return Gone()
        answer = await self.call("GET", f"/tickets/{ticket_id}", query={"expand": "true"})
        if not answer.ok:
            return refusal(answer)
        found = read_as(Ticket, answer.json())
        return Gone() if found.state in self.settings.merged_states else found

    async def articles(self, ticket_id: str) -> list[Article] | Gone | Refused:
        """All that the token may see, oldest first; the newest ones where all are too long."""
        if not NUMBER.fullmatch(ticket_id):
            return Gone()
        path = f"/ticket_articles/by_ticket/{ticket_id}"
        try:
            answer = await self.call("GET", path, query={"expand": "true"})
        except AnswerTooLongError:
            return await self._newest_articles(ticket_id)
        if not answer.ok:
            return refusal(answer)
        return sorted(read_as(list[Article], answer.json()), key=lambda one: one.id)

    async def _newest_articles(self, ticket_id: str) -> list[Article] | Gone | Refused:
        """One by one."""
        ticket = await self.ticket(ticket_id)
        if isinstance(ticket, Gone | Refused):
            return ticket
        found = []
        for id_ in sorted(ticket.article_ids)[-NEWEST:]:
            answer = await self.call("GET", f"/ticket_articles/{id_}", query={"expand": "true"})
            if not answer.ok:
                return refusal(answer)
            found.append(read_as(Article, answer.json()))
        return found

    async def user(self, user_id: int) -> User:
        """A user. Raises SettingsError: the token may not see them."""
        answer = await self.call("GET", f"/users/{user_id}", query={"expand": "true"})
        if not answer.ok:
            raise SettingsError(f"Zammad does not show the ticket's customer: {words_of(answer)}")
        return read_as(User, answer.json())

    async def is_agent(self) -> bool:
        """Whether the token is an agent's: only they may search users."""
        answer = await self.call("GET", "/users/search", query={"query": "*", "limit": 1})
        return answer.status != FORBIDDEN

    async def may_mail(self, ticket_id: str) -> bool:
        """Whether the ticket's group has an address to send from.

        Zammad offers an agent the article type `email` for a ticket only then
        (screen_options.rb); what does not say so counts as yes.
        """
        answer = await self.call("GET", f"/tickets/{ticket_id}", query={"all": "true"})
        said = answer.json() if answer.ok else None
        for name in ("form_meta", "filter", "type_id"):
            said = said.get(name) if isinstance(said, dict) else None
        return not isinstance(said, list) or not said or EMAIL_TYPE in said

    async def tags(self, ticket_id: str) -> list[str]:
        """The ticket's tags."""
        answer = await self.call("GET", "/tags", query={"object": "Ticket", "o_id": ticket_id})
        if not answer.ok:
            raise SettingsError(f"Zammad does not show tags: {words_of(answer)}")
        return read_as(_Tags, answer.json()).tags


class _Tags(Wire):
    tags: list[str]


def refusal(answer: HttpAnswer) -> Gone | Refused:
    """What a status from 400 to 499 means for a ticket."""
    return Gone() if answer.status == NOT_FOUND else Refused(words_of(answer))


def words_of(answer: HttpAnswer) -> str:
    """Zammad's own words for operators, on one line and bounded."""
    said = document_of(answer)
    known = said if isinstance(said, dict) else {}
    words = known.get("error_human") or known.get("error")
    return inert_line(words if isinstance(words, str) else f"HTTP {answer.status}", WORDS_CHARS)
