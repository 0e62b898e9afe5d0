"""Zendesk's Ticketing API: the few calls that the connector makes.

Each takes the connection's access token; one that is refused is renewed once, by one process for
all, and refused again it pauses the connection.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, TypeVar

from app.connectors.answers import Wire, document_of, read_as
from app.connectors.connector import Opened
from app.connectors.errors import CredentialsError, SettingsError
from app.connectors.helpdesk import Gone, Refused
from app.connectors.http import AnswerTooLongError, HttpAnswer
from app.connectors.zendesk.grants import renewing, source_of
from app.connectors.zendesk.settings import ZendeskSettings
from app.connectors.zendesk.shapes import (
    Audit,
    Comment,
    Cursor,
    Group,
    Maybe,
    Shown,
    Ticket,
    User,
)
from app.log.inert_text import inert_line
from tools.errors import UnavailableError

T = TypeVar("T", Audit, Comment, Group)
# An id is data in a path, so it is held to digits before it gets there.
NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
# Of a list, so many pages at most; shorter ones where an answer would be too long to be taken.
PAGES, SIZES = 20, (100, 10, 1)
WORDS_CHARS, DETAILS = 300, 5
NOT_FOUND, GONE, CONFLICT, UNPROCESSABLE = 404, 410, 409, 422
# Zendesk's own tag on a ticket that was merged into another one.
MERGED = "closed_by_merge"


@dataclass(slots=True)
class ZendeskApi:
    """Calls of one connection. Each raises UnavailableError, CredentialsError, SettingsError."""

    opened: Opened
    _token: str | None = field(default=None, repr=False)

    @property
    def settings(self) -> ZendeskSettings:
        """The connection's settings."""
        settings: ZendeskSettings = self.opened.settings
        return settings

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """One call; `path` begins with a slash and holds nothing that a URL would read."""
        url = f"{self.settings.base_url}/api/v2{path}"
        refused = None
        for _ in range(2):
            self._token = self._token or await self._live_token(refused)
            try:
                return await self.opened.http.call_json(
                    method,
                    url,
                    query=query,
                    body=body,
                    headers={"Authorization": f"Bearer {self._token}", **(headers or {})},
                )
            except CredentialsError:
                # Nothing was done, so the call may be made again.
                refused, self._token = self._token, None
        raise CredentialsError("Zendesk refuses also a new access token (HTTP 401)")

    async def _live_token(self, refused: str | None) -> str:
        assert self.opened.tokens is not None, "only hooks are read without tokens"
        return await self.opened.tokens.get(source_of(self.opened), renewing(self.opened), refused)

    async def shown(self, ticket_id: str) -> Shown | Gone | Refused:
        """The ticket now, with its requester; Gone too when it was merged into another one."""
        if not NUMBER.fullmatch(ticket_id):
            return Gone()
        answer = await self.call("GET", f"/tickets/{ticket_id}.json", query={"include": "users"})
        if not answer.ok:
            return refusal(answer)
        found = read_as(Shown, answer.json())
        if found.ticket.id != ticket_id:
            raise UnavailableError("the answer is not Zendesk's: it is another ticket")
        if found.ticket.status == "deleted" or MERGED in found.ticket.tags:
            return Gone()
        ticket = found.ticket.model_copy(update={"seen_at": time_of(answer)})
        return found.model_copy(update={"ticket": ticket})

    async def ticket(self, ticket_id: str) -> Ticket | Gone | Refused:
        """The ticket alone."""
        found = await self.shown(ticket_id)
        return found.ticket if isinstance(found, Shown) else found

    async def audits(self, ticket_id: str) -> list[Audit]:
        """The ticket's updates, newest first; of more than some thousand the newest."""
        found, _ = await self.pages(f"/tickets/{ticket_id}/audits.json", "audits", Audit)
        return sorted(found, key=lambda audit: int(audit.id), reverse=True)

    async def comments(self, ticket_id: str) -> tuple[list[Comment], dict[str, User]]:
        """The ticket's comments, oldest first, and their authors by id."""
        path, query = f"/tickets/{ticket_id}/comments.json", {"include": "users"}
        found, users = await self.pages(path, "comments", Comment, query)
        ordered = sorted(found, key=lambda comment: (comment.created_at, int(comment.id)))
        return ordered, {user.id: user for user in users}

    async def groups(self) -> list[Group]:
        """The groups of agents."""
        found, _ = await self.pages("/groups.json", "groups", Group, sort=None)
        return found

    async def pages(
        self,
        path: str,
        name: str,
        kind: type[T],
        query: Mapping[str, str] | None = None,
        sort: str | None = "-created_at",
    ) -> tuple[list[T], list[User]]:
        """The items of a list's first pages, and the users that came with them.

        Raises:
            SettingsError: Zendesk does not show the list, or it is long and begins at its old end.
        """
        found: list[T] = []
        users: list[User] = []
        asked: dict[str, str | int] = {**(query or {}), **({"sort": sort} if sort else {})}
        for _ in range(PAGES):
            document = await self._page(path, asked)
            found += read_as(list[kind], document.get(name))  # type: ignore[valid-type]  # known at run time
            users += read_as(list[User], document.get("users") or [])
            cursor = read_as(_Listed, document).meta
            if not (cursor.has_more and cursor.after_cursor):
                return found, users
            asked["page[after]"] = cursor.after_cursor
        if sort and found and int(found[0].id) < int(found[-1].id):
            # The newest decide who spoke last and what was posted: without them nothing is safe.
            raise SettingsError(f"{path} is too long to be read, and begins with the oldest")
        return found, users

    async def _page(self, path: str, asked: Mapping[str, str | int]) -> dict[str, Any]:
        """One page, of fewer items where their texts are long."""
        for size in SIZES:
            try:
                answer = await self.call("GET", path, query={**asked, "page[size]": size})
            except AnswerTooLongError:
                continue
            if answer.status == NOT_FOUND:
                # It was there when the ticket was read.
                raise UnavailableError(f"{path} is no longer there")
            if not answer.ok:
                raise SettingsError(f"Zendesk does not show {path}: {words_of(answer)}")
            document = answer.json()
            if isinstance(document, dict):
                return document
            raise UnavailableError("the answer is not Zendesk's: no object")
        raise UnavailableError(f"{path} has an item that is too long to be read")


class _Listed(Wire):
    meta: Annotated[Cursor, Maybe] = Cursor()


def time_of(answer: HttpAnswer) -> datetime | None:
    """What Zendesk's clock says, by the header Date; None when it says nothing."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC)
    except ValueError:
        return None


def refusal(answer: HttpAnswer) -> Gone | Refused:
    """What a status from 400 to 499 means for a ticket."""
    return Gone() if answer.status in (NOT_FOUND, GONE) else Refused(words_of(answer))


def error_of(answer: HttpAnswer) -> str:
    """The name of the error, such as RecordInvalid; "" when there is none."""
    said = document_of(answer)
    error = said.get("error") if isinstance(said, dict) else None
    return error if isinstance(error, str) else ""


def words_of(answer: HttpAnswer) -> str:
    """Zendesk's own words for operators, on one line and bounded."""
    said = document_of(answer)
    text = "; ".join(_sentences(said)) if isinstance(said, dict) else ""
    return inert_line(f"HTTP {answer.status}{': ' if text else ''}{text}", WORDS_CHARS)


def _sentences(said: Mapping[str, Any]) -> list[str]:
    """The error, its description, and what is wrong with which field."""
    error = said.get("error")
    found = [error.get("title"), error.get("message")] if isinstance(error, dict) else [error]
    found.append(said.get("description"))
    details = said.get("details")
    for problems in list(details.values())[:DETAILS] if isinstance(details, dict) else ():
        if isinstance(problems, list):
            found += [one.get("description") for one in problems[:DETAILS] if isinstance(one, dict)]
    return [text.strip() for text in found if isinstance(text, str)]
