"""What a tenant gives to connect Zammad."""

from typing import Annotated, ClassVar
from urllib.parse import quote

from pydantic import Field

from app.connectors.connector import Fields
from app.connectors.desk_settings import HeaderToken, ServedDesk
from app.connectors.helpdesk import Priority, Status

Name = Annotated[str, Field(min_length=1, max_length=200)]
UNOWNED = "-"


class ZammadSettings(ServedDesk):
    """One Zammad and how it is used; docs/connect/zammad.md explains every field.

    `bot` is the login of the user that the token belongs to. `external_id_field` is an attribute
    of users with the tenant's own id of the customer. `handback_tag` on a ticket without an owner
    makes it the bot's. `intake` are logins of agents who enter the words of customers. The maps
    lead from our words to the names of this Zammad. `pending_days` is how long a pending ticket
    waits, since Zammad wants a date with that state. A group is named as Zammad names it.
    """

    EXAMPLE: ClassVar = "Zammad is, such as https://support.example.com"

    bot: Name
    external_id_field: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")] | None = None
    handback_tag: Name = "deskgraph"
    intake: frozenset[Name] = frozenset()
    states: dict[Status, Name] = Field(default_factory=dict)
    priorities: dict[Priority, Name] = Field(default_factory=dict)
    closed_states: frozenset[Name] = frozenset({"closed"})
    merged_states: frozenset[Name] = frozenset({"merged", "removed"})
    pending_days: Annotated[int, Field(ge=1, le=365)] = 3

    @property
    def site(self) -> str:
        """Where its pages are."""
        return self.base_url.rstrip("/").removesuffix("/api/v1")

    @property
    def api(self) -> str:
        """Where its REST interface is."""
        return f"{self.site}/api/v1"

    def ticket_page(self, desk_ticket_id: str) -> str:
        """The ticket where agents work; Zammad's pages are one page with fragments."""
        return f"{self.site}/#ticket/zoom/{quote(desk_ticket_id, safe='')}"

    def state_of(self, status: Status) -> str:
        """Zammad's state for a status of ours; its own default ones unless the tenant said so."""
        return self.states.get(status) or STATES[status]

    def our_status(self, state: str) -> str:
        """Our word for a state of Zammad; one that we have no word for stays as it is."""
        ours = {self.state_of(known): known for known in STATES}
        return ours.get(state) or DEFAULT_STATUSES.get(state, state)

    def priority_of(self, priority: Priority) -> str:
        """Zammad's priority for one of ours."""
        return self.priorities.get(priority) or PRIORITIES[priority]

    def is_bot(self, login: str | None) -> bool:
        """Whether a login is the bot's; Zammad writes logins in small letters."""
        return login is not None and login.casefold() == self.bot.casefold()

    def person(self, login: str | None) -> str | None:
        """The login, if it is a person's: neither the bot's nor Zammad's word for no owner."""
        return None if not login or login == UNOWNED or self.is_bot(login) else login


class ZammadCredentials(Fields):
    """The bot's personal access token, which Zammad shows once."""

    token: HeaderToken


STATES: dict[Status, str] = {"open": "open", "pending": "pending reminder", "solved": "closed"}
DEFAULT_STATUSES = {"new": "open", "pending close": "pending", "closed": "solved"}
# Zammad has three priorities, none above high.
PRIORITIES: dict[Priority, str] = {
    "low": "1 low", "normal": "2 normal", "high": "3 high", "urgent": "3 high",
}  # fmt: skip
