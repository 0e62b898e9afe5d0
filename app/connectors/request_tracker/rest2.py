"""RT's REST 2 interface: the few calls that the connector makes, and what their answers say.

Read in the source of RT 5.0.3 and run against it (tests/real_world/).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from pydantic import BeforeValidator

from app.connectors.answers import Wire, document_of, read_as
from app.connectors.connector import Opened
from app.connectors.errors import SettingsError
from app.connectors.helpdesk import Gone, Refused
from app.connectors.http import HttpAnswer
from app.connectors.request_tracker.settings import RequestTrackerSettings
from app.log.inert_text import inert_line
from tools.errors import UnavailableError

T = TypeVar("T")
# Both are data in a URL or a query, so they are held to digits before they get there.
NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
# Apache adds "-gzip" to a tag whose answer it packs.
ETAG = re.compile(r'(?:W/)?"?([0-9]{1,18})(?:-gzip)?"?', re.ASCII)
PER_PAGE, PAGES = 100, 20
WORDS_CHARS = 300
NOT_FOUND, PRECONDITION_FAILED = 404, 412


# RT says the same number with and without quotes, and "" for a list that is empty.
Text = Annotated[str, BeforeValidator(lambda said: str(said) if isinstance(said, int) else said)]
ListOrNothing = BeforeValidator(lambda said: said or [])


class Ref(Wire):
    """A user, queue or group; a user's id is their name."""

    id: Text
    type: str = ""


class CustomField(Wire):
    """A custom field with the values that it has here."""

    name: str
    values: tuple[Any, ...] = ()

    @property
    def texts(self) -> list[str]:
        """Its values that are text."""
        return [value for value in self.values if isinstance(value, str)]


class QueueRef(Ref):
    """A ticket's queue, with the name that we asked for."""

    Name: str = ""


class Ticket(Wire):
    """One ticket. `stamp` is the id of its last transaction that the token may see."""

    id: int
    stamp: str = ""
    Subject: str | None = None
    Status: str
    Owner: Ref
    Requestor: tuple[Ref, ...] = ()
    Queue: QueueRef
    Priority: Text = "0"
    CustomFields: Annotated[tuple[CustomField, ...], ListOrNothing] = ()

    def values(self, field: str) -> list[str] | None:
        """The values of a custom field; None when the ticket has no such field."""
        for found in self.CustomFields:
            if found.name == field:
                return found.texts
        return None


class Transaction(Wire):
    """One thing that was done to a ticket."""

    id: Text
    Type: str
    Field: str | None = None
    Creator: Ref
    CustomFields: Annotated[tuple[CustomField, ...], ListOrNothing] = ()

    def key(self, field: str) -> str | None:
        """What stands in the custom field for our keys."""
        texts = [text for found in self.CustomFields if found.name == field for text in found.texts]
        return texts[0] if texts else None


class Part(Wire):
    """A part of a message, without its content."""

    id: Text
    TransactionId: Text
    ContentType: str | None = None
    Filename: str | None = None
    ContentLength: Annotated[int, BeforeValidator(lambda said: said or 0)] = 0


class MailHeaders(Wire):
    """The headers of a whole message."""

    TransactionId: Text
    Headers: str | None = None


class Content(Wire):
    """A part's content, as text."""

    id: Text
    Content: str | None = None


class Items(Wire):
    """A page of a list."""

    items: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Rest2:
    """Calls of one connection. Each raises UnavailableError, CredentialsError, SettingsError."""

    opened: Opened

    @property
    def settings(self) -> RequestTrackerSettings:
        """The connection's settings."""
        settings: RequestTrackerSettings = self.opened.settings
        return settings

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        if_match: str | None = None,
    ) -> HttpAnswer:
        """One call; `path` begins with a slash and holds nothing that a URL would read."""
        headers = {"Authorization": f"token {self.opened.credentials.token.get_secret_value()}"}
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        url = f"{self.settings.rest2}{path}"
        return await self.opened.http.call_json(
            method, url, query=query, body=body, headers=headers
        )

    async def ticket(self, ticket_id: str) -> Ticket | Gone | Refused:
        """The ticket now; Gone too when it was deleted, or merged into another one."""
        if not NUMBER.fullmatch(ticket_id):
            return Gone()
        answer = await self.call("GET", f"/ticket/{ticket_id}", query={"fields[Queue]": "Name"})
        if not answer.ok:
            return refusal(answer)
        tag = ETAG.fullmatch(answer.headers.get("etag", ""))
        if tag is None:
            raise UnavailableError("the ticket came without the ETag that RT gives it")
        found = read_as(Ticket, answer.json())
        # The other ticket's id comes for one that was merged into it.
        if str(found.id) != ticket_id or found.Status == "deleted":
            return Gone()
        return found.model_copy(update={"stamp": tag[1]})

    async def transactions(self, ticket_id: str, where: str) -> list[Transaction]:
        """Those of a ticket for which `where`, in RT's query language, holds; the oldest first.

        Of more than PAGES * PER_PAGE the newest. `where` holds no text of another's.
        """
        about = f"ObjectType='RT::Ticket' AND ObjectId={ticket_id} AND {where}"
        query: dict[str, str | int] = {
            "query": about, "fields": "Type,Field,Creator,CustomFields",
            "orderby": "id", "order": "DESC",
        }  # fmt: skip
        return (await self.pages("GET", "/transactions", Transaction, query))[::-1]

    async def pages(
        self,
        method: str,
        path: str,
        kind: type[T],
        query: Mapping[str, str | int],
        body: Any = None,
    ) -> list[T]:
        """The items of a list's first PAGES pages."""
        found: list[T] = []
        for page in range(1, PAGES + 1):
            asked = {**query, "per_page": PER_PAGE, "page": page}
            answer = await self.call(method, path, query=asked, body=body)
            if not answer.ok:
                raise SettingsError(f"{path}: {words_of(answer)}")
            items = read_as(Items, answer.json()).items
            found += read_as(list[kind], items)  # type: ignore[valid-type]  # known at run time
            if len(items) < PER_PAGE:
                break
        return found


def refusal(answer: HttpAnswer) -> Gone | Refused:
    """What a status from 400 to 499 means for a ticket."""
    return Gone() if answer.status == NOT_FOUND else Refused(words_of(answer))


def words_of(answer: HttpAnswer) -> str:
    """RT's own words for operators, on one line and bounded."""
    said = document_of(answer)
    message = said.get("message") if isinstance(said, dict) else said
    lines: Sequence[Any] = message if isinstance(message, list) else [message]
    text = "; ".join(line.strip() for line in lines if isinstance(line, str))
    return inert_line(text or f"HTTP {answer.status}", WORDS_CHARS)


def transaction_at(location: str) -> str | None:
    """The id in the address that RT gives a new transaction."""
    _, found, id_ = location.rpartition("/transaction/")
    return id_ if found and NUMBER.fullmatch(id_) else None


def segment(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")
