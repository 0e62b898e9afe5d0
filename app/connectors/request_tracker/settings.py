"""What a tenant gives to connect Request Tracker."""

from typing import Annotated, ClassVar
from urllib.parse import quote

from pydantic import Field

from app.connectors.connector import Fields
from app.connectors.desk_settings import HeaderToken, ServedDesk
from app.connectors.helpdesk import Priority, Status

Name = Annotated[str, Field(min_length=1, max_length=200)]


class RequestTrackerSettings(ServedDesk):
    """One RT and how it is used; docs/connect/request_tracker.md explains every field.

    `bot` is the RT user that the token belongs to. `key_field` is the custom field of transactions
    that holds our keys. `external_id_field` is a custom field of the ticket or of the requestor
    with the tenant's own id of the customer. `tags_field` is a custom field of tickets with several
    values. `intake` are users who enter the words of customers, such as a web form's account.
    The maps lead from our words to those of this RT. A group is a queue, by its name.
    """

    EXAMPLE: ClassVar = "RT's pages are, such as https://rt.example.com"

    bot: Name
    key_field: Name = "DeskgraphKey"
    external_id_field: Name | None = None
    tags_field: Name | None = None
    intake: frozenset[Name] = frozenset()
    statuses: dict[Status, Name] = Field(default_factory=dict)
    priorities: dict[Priority, int] = Field(default_factory=dict)
    closed_statuses: frozenset[Name] = frozenset({"resolved", "rejected"})

    @property
    def site(self) -> str:
        """Where its pages are."""
        return self.base_url.rstrip("/").removesuffix("/REST/2.0")

    @property
    def rest2(self) -> str:
        """Where its REST 2 interface is."""
        return f"{self.site}/REST/2.0"

    def ticket_page(self, desk_ticket_id: str) -> str:
        """The ticket where people work."""
        return f"{self.site}/Ticket/Display.html?id={quote(desk_ticket_id, safe='')}"

    def status_of(self, status: Status) -> str:
        """RT's word for a status of ours; those of RT's own lifecycle unless the tenant said so."""
        return self.statuses.get(status) or STATUSES[status]

    def our_status(self, status: str) -> str:
        """Our word for a status of RT; one that we have no word for stays as it is."""
        ours = {self.status_of(known): known for known in STATUSES} | {"new": "open"}
        return ours.get(status, status)

    def priority_of(self, priority: Priority) -> int:
        """RT's number for a priority of ours."""
        return self.priorities.get(priority, PRIORITIES[priority])


class RequestTrackerCredentials(Fields):
    """The bot's authentication token, which RT shows once: "1-...-..."."""

    token: HeaderToken


STATUSES: dict[Status, str] = {"open": "open", "pending": "stalled", "solved": "resolved"}
# RT names 0, 50 and 100 low, medium and high, and none above.
PRIORITIES: dict[Priority, int] = {"low": 0, "normal": 50, "high": 100, "urgent": 100}
