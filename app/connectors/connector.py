"""A connector: everything the service needs to know about one kind of outside system."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from app.connectors.errors import ConnectorError
from app.connectors.helpdesk import Helpdesk, Priority, Status
from app.connectors.hooks import Event
from app.connectors.http import HttpClient
from app.connectors.oauth import Tokens
from tools.errors import UnavailableError
from tools.ports import Billing, Subscriptions

Tag = Annotated[str, Field(min_length=1, max_length=100)]
OutcomeName = Literal["answered", "acted", "asked", "escalated", "rejected"]


class Fields(BaseModel):
    """The settings or the credentials of a connection; a name that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @property
    def hook_secrets(self) -> tuple[str, ...]:
        """Secrets that the other side made for its hooks, where it takes none of ours."""
        return ()

    @property
    def expires_at(self) -> datetime | None:
        """Of credentials: when they end for good, such as the refresh token of OAuth or a key with
        a date; with its offset, and None where the system does not say so. What the connector
        renews by itself does not end."""
        return None

    @property
    def destination(self) -> tuple[str | int, ...]:
        """Of settings: where the credentials go. For another place they have to be given again."""
        return ()


class FieldChange(Fields):
    """What becomes of a ticket's fields; what is left out stays as it is."""

    tags_add: Annotated[list[Tag], Field(max_length=20)] = Field(default_factory=list)
    tags_remove: Annotated[list[Tag], Field(max_length=20)] = Field(default_factory=list)
    status: Status | None = None
    priority: Priority | None = None
    group: Tag | None = None


class DeskFields(Fields):
    """What the settings of every desk share.

    `outcomes`: what becomes of a ticket's fields when a run ended so, such as `answered`.
    `groups`: the desk's group for each skill that a hand-off may need.
    """

    outcomes: Annotated[dict[OutcomeName, FieldChange], Field(max_length=10)] = Field(
        default_factory=dict
    )
    groups: Annotated[dict[Tag, Tag], Field(max_length=100)] = Field(default_factory=dict)

    def ticket_page(self, desk_ticket_id: str) -> str:
        """Where people see the ticket in a browser; "" for a desk without pages that we know."""
        return ""


class Payments(Billing, Subscriptions, Protocol):
    """One payment provider, for payments and subscriptions alike."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection ready to be used: its settings, its credentials in clear, and our client.

    `secrets` are those that its hooks may be signed with, newest first; before them stand those
    that the other side made, which are among the credentials. `tokens` keeps the access tokens of a
    system with OAuth; to read a hook none is needed, and there is none.
    """

    id: str
    tenant_id: str
    settings: Any
    credentials: Any = field(repr=False)
    http: HttpClient
    secrets: Sequence[str] = field(default=(), repr=False)
    tokens: Tokens | None = None

    def __post_init__(self) -> None:
        own = getattr(self.credentials, "hook_secrets", ())
        object.__setattr__(self, "secrets", (*own, *self.secrets))


class Mailbox(Protocol):
    """A system without hooks: it is asked what is new. A cursor is plain JSON."""

    async def poll(
        self, cursor: dict[str, Any] | None
    ) -> tuple[list[tuple[str, Event]], dict[str, Any]]:
        """What came since, each with an id of its delivery, and the cursor to keep with it.

        Raises UnavailableError, CredentialsError, SettingsError: keep the cursor.
        """
        ...

    async def wait(self, cursor: dict[str, Any], seconds: float) -> None:
        """Wait until there may be something new, at most so long. Raises as `poll` does."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `test` looked at, and what it found in a sentence."""

    name: str
    ok: bool
    says: str


async def as_far_as_it_comes(checks: AsyncIterator[Check], system: str) -> list[Check]:
    """The findings of calls to a system; what was found stays when a later call fails."""
    found: list[Check] = []
    try:
        async for one in checks:
            found.append(one)  # noqa: PERF401  # a comprehension would lose them
    except (ConnectorError, UnavailableError) as error:
        says = f"{system} cannot be used: {error}."
        found.append(Check("connection", ok=False, says=says))
    return found


# The delivery's id. Raises ForgedHookError. Names of headers are in small letters.
Verify = Callable[[Mapping[str, str], bytes, Sequence[str]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One kind of system.

    settings, credentials: what a tenant gives; credentials are encrypted and never shown again.
    verify, read_hook: who signed a hook, and what it says. Raises MalformedHookError.
    desk, payments: the ports, bound to a connection; None when it has no such side.
    mailbox: what is asked for news, of a system without hooks.
    test: harmless calls that say what is right and what is missing. Raises nothing but bugs.
    """

    kind: str
    says: str
    settings: type[Fields]
    credentials: type[Fields]
    test: Callable[[Opened], Awaitable[list[Check]]]
    verify: Verify | None = None
    read_hook: Callable[[Opened, Any], Event] | None = None
    desk: Callable[[Opened], Helpdesk] | None = None
    payments: Callable[[Opened], Payments] | None = None
    mailbox: Callable[[Opened], Mailbox] | None = None
