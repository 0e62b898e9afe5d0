"""The harness of a helpdesk of the tenant's own: the connector before our double of such a desk."""

import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from app.connectors.connector import Opened
from app.connectors.helpdesk import Helpdesk
from app.connectors.http import HttpClient
from app.connectors.webhook import WEBHOOK, WebhookCredentials, WebhookSettings
from tests.conformance.faulty_line import FaultyLine
from tests.conformance.guarded_line import guarded_line
from tests.conformance.harness import DeskFields, Feature
from tests.doubles.fault_proxy import FaultProxy
from tests.doubles.own_desk import OwnDesk
from tests.doubles.server import serving

PERSON = "Emma"
SECRET, OTHER = "whsec_" + "A" * 43 + "=", "whsec_" + "B" * 43 + "="

numbers = itertools.count(1)


@dataclass(slots=True)
class WebhookHarness(FaultyLine):
    """`proxy` stands before the desk."""

    own: OwnDesk
    proxy: FaultProxy
    http: HttpClient
    secret: str = SECRET
    person: str = PERSON
    groups: tuple[str, str] = ("Support", "Finance")
    lacks: Mapping[Feature, str] = field(default_factory=dict)

    @property
    def desk(self) -> Helpdesk:
        """The connector."""
        settings = WebhookSettings(url=f"{self.proxy.url}/deskgraph")
        opened = Opened("con_1", "t", settings, WebhookCredentials(), self.http, [self.secret])
        assert WEBHOOK.desk is not None
        return WEBHOOK.desk(opened)

    async def open_ticket(self, subject: str, text: str) -> str:
        """A new ticket."""
        ticket_id = f"t{next(numbers)}"
        self.own.open(ticket_id, text, hook=False)
        self.own.tickets[ticket_id].subject = subject
        self.own.tickets[ticket_id].fields["group"] = self.groups[0]
        return ticket_id

    async def customer_writes(self, ticket_id: str, text: str) -> None:
        """A message of the customer."""
        self.own.write(ticket_id, "customer", text, hook=False)

    async def person_replies(self, ticket_id: str, text: str) -> None:
        """A public message of the person."""
        self.own.write(ticket_id, "person", text, hook=False)

    async def person_notes(self, ticket_id: str, text: str) -> None:
        """A private note."""
        self.own.write(ticket_id, "person", text, public=False, hook=False)

    async def assign_person(self, ticket_id: str) -> None:
        """The person has it."""
        self.own.assign(ticket_id, PERSON)

    async def hand_back(self, ticket_id: str) -> None:
        """No person has it."""
        self.own.assign(ticket_id, None)

    async def close_ticket(self, ticket_id: str) -> None:
        """It takes no more replies."""
        self.own.tickets[ticket_id].closed = True

    async def delete_ticket(self, ticket_id: str) -> None:
        """It is gone."""
        del self.own.tickets[ticket_id]

    def break_token(self) -> None:
        """Sign with a secret that the desk does not know."""
        self.secret = OTHER

    async def customer_saw(self, ticket_id: str) -> list[str]:
        """What the desk shows the customer."""
        return self.own.public(ticket_id)

    async def people_saw(self, ticket_id: str) -> list[str]:
        """All of it."""
        return [message["text"] for message in self.own.tickets[ticket_id].messages]

    async def fields(self, ticket_id: str) -> DeskFields:
        """As the desk has them."""
        ticket = self.own.tickets[ticket_id]
        return DeskFields(
            status=ticket.fields.get("status", "open"),
            priority=ticket.fields.get("priority", "normal"),
            group=ticket.fields.get("group"),
            assignee=ticket.assignee,
            tags=frozenset(ticket.tags),
        )


@contextlib.asynccontextmanager
async def doubled_webhook_desk() -> AsyncIterator[WebhookHarness]:
    """A harness for a new desk."""
    own = OwnDesk()
    own.connect("", SECRET)
    with serving(own.app) as url:
        async with guarded_line(url) as (proxy, http):
            yield WebhookHarness(own, proxy, http)
