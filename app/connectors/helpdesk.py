"""The port of a helpdesk: what every desk offers, whatever its own words are.

Each connector and the fake of the tests pass the same laws, tests/conformance/helpdesk.py; the desk
on our own tables has others (docs/adr/0028). Bound to one connection of one tenant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Author = Literal["customer", "person", "bot", "system"]
Priority = Literal["low", "normal", "high", "urgent"]
Status = Literal["open", "pending", "solved"]


@dataclass(frozen=True, slots=True)
class Requester:
    """Who wrote a ticket, as the desk knows them.

    `external_id` is the field that the tenant chose to hold their own id of the customer; nothing
    else of a requester, a mail's From least of all, names an account. `verified` is what the desk
    or our own mail server proved.
    """

    id: str
    external_id: str | None = None
    name: str | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True)
class DeskMessage:
    """One public message or private note of a ticket. `key` is ours, on what we posted.

    `name` is what `Event.message_id` calls it, which no message of another ticket of the desk has;
    where it is not given, that is the id itself.
    `headers` are a mail's, in small letters: they show an automatic reply, a bounce, list mail.
    """

    id: str
    author: Author
    public: bool
    text: str
    html: bool = False
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.id)


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket as the desk has it now; `stamp` changes with everything that is done to it.

    `assignee` is a person's name or id, never the bot's. `messages` are in the order of the desk.
    """

    stamp: str
    subject: str
    requester: Requester
    messages: tuple[DeskMessage, ...] = ()
    status: str = "open"
    assignee: str | None = None
    closed: bool = False
    gone: bool = False

    @property
    def last_public_author(self) -> Author | None:
        """Who spoke last in public; what the desk itself says does not count."""
        said = (one for one in reversed(self.messages) if one.public and one.author != "system")
        return next((one.author for one in said), None)

    @property
    def own_keys(self) -> frozenset[str]:
        """The keys of what we posted."""
        return frozenset(one.key for one in self.messages if one.key)


GONE_VIEW = TicketView(stamp="", subject="", requester=Requester(""), gone=True)


@dataclass(frozen=True, slots=True)
class Posted:
    """The desk took it; `id` is what the desk calls it."""

    id: str


@dataclass(frozen=True, slots=True)
class AlreadyPosted:
    """It was there under this key before, so nothing was posted."""

    id: str


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The ticket changed since it was read, so nothing was posted."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The ticket is over and takes nothing more; nothing was posted."""


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no such ticket any more; nothing was posted."""


@dataclass(frozen=True, slots=True)
class Refused:
    """We or the set-up are wrong; `why` is ours or the desk's words, bounded, for operators."""

    why: str


Answer = Posted | AlreadyPosted | Overtaken | Closed | Gone | Refused


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a ticket's fields; None and empty leave them as they are."""

    tags_add: Sequence[str] = ()
    tags_remove: Sequence[str] = ()
    status: Status | None = None
    priority: Priority | None = None
    group: str | None = None
    assignee: str | None = None

    def __bool__(self) -> bool:
        return self != Change()


class Helpdesk(Protocol):
    """One connected desk. A repeated `key` answers AlreadyPosted and posts nothing, also when the
    answer to the first call was lost: the adapter looks before it posts.

    Every method raises UnavailableError (`retry_after`, in seconds, when the desk named it) when
    the desk did not answer or its answer makes no sense, so that what happened is unknown; and
    CredentialsError when the desk no longer takes our token.
    """

    async def read(self, ticket_id: str) -> TicketView:
        """The ticket as it is now; one that does not exist is `gone`."""
        ...

    async def find_reply(self, ticket_id: str, key: str) -> str | None:
        """What the desk calls the message or note that was posted under the key, or None."""
        ...

    async def reply(self, ticket_id: str, text: str, *, key: str, expect: str) -> Answer:
        """Post plain text for the customer, on the ticket with the stamp `expect` only."""
        ...

    async def note(self, ticket_id: str, text: str, *, key: str) -> Answer:
        """Post plain text that only the tenant's people see."""
        ...

    async def change(self, ticket_id: str, change: Change, *, key: str) -> Answer:
        """Change fields of the ticket; what is already so stays, so it may be repeated."""
        ...
