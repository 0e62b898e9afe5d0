"""The harness of Zendesk: its customers and agents act within our double."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from app.connectors.connector import Opened
from app.connectors.helpdesk import Helpdesk
from app.connectors.http import TIMEOUT_SECONDS, HttpClient
from app.connectors.zendesk import ZENDESK
from app.connectors.zendesk.settings import ZendeskCredentials, ZendeskSettings
from tests.conformance.faulty_line import FaultyLine
from tests.conformance.guarded_line import guarded_line
from tests.conformance.harness import DeskFields, Feature
from tests.doubles.fault_proxy import FaultProxy
from tests.doubles.memory_tokens import MemoryTokens
from tests.doubles.server import serving
from tests.doubles.zendesk_double import CLIENT, ZendeskDouble
from tests.doubles.zendesk_hooks import SIGNING_SECRET
from tests.doubles.zendesk_records import ZdTicket
from tests.doubles.zendesk_state import BOT, CUSTOMER, PERSON, JsonObject


@dataclass(slots=True)
class ZendeskHarness(FaultyLine):
    """`proxy` stands before Zendesk for the connector alone."""

    double: ZendeskDouble
    proxy: FaultProxy
    http: HttpClient
    settings: dict[str, Any] = field(default_factory=dict)
    tokens: MemoryTokens = field(default_factory=MemoryTokens)
    client_secret: str = ""
    refresh_token: str | None = None
    person: str = str(PERSON)
    groups: tuple[str, str] = ("Support", "Finance")
    lacks: Mapping[Feature, str] = field(default_factory=dict)

    @property
    def opened(self) -> Opened:
        """The connection, through the proxy. The laws hold that a closed ticket takes no reply."""
        settings = {
            "base_url": self.proxy.url,
            "client_id": CLIENT,
            "bot_id": str(BOT),
            "follow_up": False,
            **self.settings,
        }
        refresh = self.refresh_token and SecretStr(self.refresh_token)
        return Opened(
            id="con_1",
            tenant_id="t",
            settings=ZendeskSettings(**settings),
            credentials=ZendeskCredentials(
                client_secret=SecretStr(self.client_secret or self.double.client_secret),
                refresh_token=refresh or None,
                webhook_secret=SecretStr(SIGNING_SECRET),
            ),
            http=self.http,
            tokens=self.tokens,
        )

    @property
    def desk(self) -> Helpdesk:
        """The connector."""
        assert ZENDESK.desk is not None
        return ZENDESK.desk(self.opened)

    def at(self, ticket_id: str) -> ZdTicket:
        """The ticket."""
        return self.double.tickets[int(ticket_id)]

    def update(self, ticket_id: str, user: int, **given: Any) -> None:
        """An update by one of its users."""
        self.double.update(user, int(ticket_id), given, channel="web")

    def say(self, ticket_id: str, user: int, text: str, **more: Any) -> None:
        """A comment by one of its users."""
        self.update(ticket_id, user, comment={"body": text, **more})

    async def open_ticket(self, subject: str, text: str) -> str:
        """The customer asks by the web form."""
        given: JsonObject = {"subject": subject, "comment": {"body": text}}
        return str(self.double.create(CUSTOMER, given, channel="web").id)

    async def customer_writes(self, ticket_id: str, text: str) -> None:
        """A public comment."""
        self.say(ticket_id, CUSTOMER, text)

    async def person_replies(self, ticket_id: str, text: str) -> None:
        """A public comment of an agent."""
        self.say(ticket_id, PERSON, text)

    async def person_notes(self, ticket_id: str, text: str) -> None:
        """A private comment of an agent."""
        self.say(ticket_id, PERSON, text, public=False)

    async def assign_person(self, ticket_id: str) -> None:
        """The agent takes it."""
        self.update(ticket_id, PERSON, assignee_id=PERSON)

    async def hand_back(self, ticket_id: str) -> None:
        """The agent assigns it to the bot."""
        self.update(ticket_id, PERSON, assignee_id=BOT)

    async def close_ticket(self, ticket_id: str) -> None:
        """Closed, which nothing opens again."""
        self.update(ticket_id, PERSON, status="closed")

    async def delete_ticket(self, ticket_id: str) -> None:
        """Deleted."""
        self.double.deleted.add(int(ticket_id))

    def break_token(self) -> None:
        """The client's secret is another one, and no token lives."""
        self.client_secret = "another"
        self.double.end_tokens()

    async def customer_saw(self, ticket_id: str) -> list[str]:
        """What Zendesk mailed to the requester."""
        return [mail.text for mail in self.double.mails if mail.ticket_id == int(ticket_id)]

    async def people_saw(self, ticket_id: str) -> list[str]:
        """All comments."""
        return [comment.body for comment in self.at(ticket_id).comments]

    async def fields(self, ticket_id: str) -> DeskFields:
        """As agents see them; a blank within a tag is written as an underscore."""
        ticket = self.at(ticket_id)
        return DeskFields(
            status="open" if ticket.status == "new" else ticket.status,
            priority=ticket.priority,
            group=self.double.groups.get(ticket.group_id or 0),
            assignee=None if ticket.assignee_id in (None, BOT) else str(ticket.assignee_id),
            tags=frozenset(tag.replace("_", " ") for tag in ticket.tags),
        )


@contextlib.asynccontextmanager
async def doubled_zendesk(
    timeout_seconds: float = TIMEOUT_SECONDS, line: Callable[[int], FaultProxy] = FaultProxy
) -> AsyncIterator[ZendeskHarness]:
    """A harness for a new double."""
    double = ZendeskDouble()
    with serving(double.app) as url:
        async with guarded_line(url, timeout_seconds, line) as (proxy, http):
            yield ZendeskHarness(double, proxy, http)
