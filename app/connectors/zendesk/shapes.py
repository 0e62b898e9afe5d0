"""What Zendesk's answers say, as far as we read them.

Names and shapes are those of Zendesk's API reference; ids come as numbers, in events as texts.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from app.connectors.answers import Wire
from tools.errors import UnavailableError


def _text_of_number(said: Any) -> Any:
    return str(said) if isinstance(said, int) and not isinstance(said, bool) else said


# -1 is Zendesk itself.
Id = Annotated[str, BeforeValidator(_text_of_number), Field(pattern=r"^-?[0-9]{1,18}$")]
Maybe = BeforeValidator(lambda said: said or {})
MaybeList = BeforeValidator(lambda said: said or [])


class User(Wire):
    """A user: an agent, an administrator, or an end user."""

    id: Id
    name: str | None = None
    role: str | None = None
    external_id: str | None = None
    suspended: bool | None = None

    @property
    def is_staff(self) -> bool:
        """Whether they work at the desk."""
        return self.role in ("agent", "admin")


class Via(Wire):
    """The way by which something came."""

    channel: Annotated[str, BeforeValidator(_text_of_number)] | None = None


class Ticket(Wire):
    """One ticket. `updated_at` has whole seconds; `seen_at` is what Zendesk's clock said then."""

    id: Id
    subject: str | None = None
    status: str
    priority: str | None = None
    requester_id: Id
    assignee_id: Id | None = None
    group_id: Id | None = None
    tags: Annotated[tuple[str, ...], MaybeList] = ()
    updated_at: str
    seen_at: datetime | None = None

    @property
    def changed_at(self) -> datetime:
        """When it was last changed. Raises UnavailableError for what is no time."""
        try:
            return datetime.fromisoformat(self.updated_at).astimezone(UTC)
        except ValueError:
            raise UnavailableError("the answer is not Zendesk's: updated_at is no time") from None

    @property
    def is_closed(self) -> bool:
        """Whether it is over for good; a solved one may be opened again."""
        return self.status == "closed"


class Shown(Wire):
    """The answer to one ticket, with its users."""

    ticket: Ticket
    users: Annotated[tuple[User, ...], MaybeList] = ()


class Trust(Wire):
    """What Zendesk says of how sure it is who wrote."""

    trusted: bool | None = None


class Comment(Wire):
    """One public comment or private note."""

    id: Id
    author_id: Id
    body: str | None = None
    public: bool
    audit_id: Id | None = None
    created_at: str = ""
    via: Annotated[Via, Maybe] = Via()
    metadata: Annotated[Trust, Maybe] = Trust()


class AuditEvent(Wire):
    """One thing that an update did; a comment's id is its event's."""

    id: Id
    type: str


class Custom(Wire):
    """Where our key stands."""

    deskgraph_key: str | None = None


class Metadata(Wire):
    """What an update carried beside its changes."""

    custom: Annotated[Custom, Maybe] = Custom()


class Audit(Wire):
    """One update of a ticket: all that was done in one step."""

    id: Id
    author_id: Id
    created_at: datetime
    metadata: Annotated[Metadata, Maybe] = Metadata()
    events: Annotated[tuple[AuditEvent, ...], MaybeList] = ()

    @property
    def comment_id(self) -> str | None:
        """The comment that the update brought."""
        return next((event.id for event in self.events if event.type == "Comment"), None)


class Done(Wire):
    """The answer to an update."""

    ticket: Ticket
    audit: Audit | None = None


class Group(Wire):
    """A group of agents."""

    id: Id
    name: str


class Cursor(Wire):
    """Where a list goes on."""

    has_more: bool = False
    after_cursor: str | None = None
