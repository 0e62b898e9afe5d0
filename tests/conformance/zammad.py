"""The harness of Zammad, against our double of it."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr

from app.connectors.connector import Opened
from app.connectors.helpdesk import Helpdesk
from app.connectors.http import TIMEOUT_SECONDS, HttpClient
from app.connectors.zammad import ZAMMAD
from app.connectors.zammad.settings import ZammadCredentials, ZammadSettings
from tests.conformance.faulty_line import FaultyLine
from tests.conformance.guarded_line import guarded_line
from tests.conformance.harness import DeskFields, Feature
from tests.doubles.fault_proxy import FaultProxy
from tests.doubles.server import serving
from tests.doubles.zammad_double import ZammadDouble
from tests.doubles.zammad_state import ANN, EMMA, ROOT
from tests.tls import TLS

PERSON, BOT = "emma@desk.test", "deskgraph@desk.test"
STATUSES = {"new": "open", "pending reminder": "pending", "closed": "solved"}
PRIORITIES = {"1 low": "low", "2 normal": "normal", "3 high": "high"}


@dataclass(slots=True)
class ZammadHarness(FaultyLine):
    """`proxy` stands before Zammad for the connector alone."""

    url: str
    double: ZammadDouble
    proxy: FaultProxy
    http: HttpClient
    web: httpx.AsyncClient
    token: str
    settings: dict[str, Any] = field(default_factory=dict)
    person: str = PERSON
    groups: tuple[str, str] = ("Users", "Finance")
    lacks: Mapping[Feature, str] = field(default_factory=dict)

    @property
    def opened(self) -> Opened:
        """The connection, through the proxy."""
        return Opened(
            id="con_1",
            tenant_id="t",
            settings=ZammadSettings(base_url=self.proxy.url, bot=BOT, **self.settings),
            credentials=ZammadCredentials(token=SecretStr(self.token)),
            http=self.http,
        )

    @property
    def desk(self) -> Helpdesk:
        """The connector."""
        assert ZAMMAD.desk is not None
        return ZAMMAD.desk(self.opened)

    async def as_user(self, user: int, method: str, path: str, body: Any = None) -> Any:
        """A call of a user; it must go well."""
        headers = {"Authorization": f"Token token={self.double.users[user].token}"}
        url = f"{self.url}/api/v1{path}"
        response = await self.web.request(method, url, json=body, headers=headers)
        response.raise_for_status()
        return response.json() if response.content else None

    async def open_ticket(self, subject: str, text: str, type_: str = "web") -> str:
        """In Zammad's portal."""
        body = {"title": subject, "group": "Users", "article": {"type": type_, "body": text}}
        return str((await self.as_user(ANN, "POST", "/tickets", body))["id"])

    async def writes(self, user: int, ticket_id: str, **article: Any) -> Any:
        """An article of a user."""
        body = {"ticket_id": int(ticket_id), **article}
        return await self.as_user(user, "POST", "/ticket_articles", body)

    async def customer_writes(self, ticket_id: str, text: str) -> None:
        """In the portal."""
        await self.writes(ANN, ticket_id, type="web", body=text)

    async def person_replies(self, ticket_id: str, text: str) -> None:
        """By mail."""
        await self.writes(EMMA, ticket_id, type="email", to="ann@customer.test", body=text)

    async def person_notes(self, ticket_id: str, text: str) -> None:
        """An internal note."""
        await self.writes(EMMA, ticket_id, type="note", internal=True, body=text)

    async def put(self, ticket_id: str, **body: Any) -> None:
        """A change by the person."""
        await self.as_user(EMMA, "PUT", f"/tickets/{ticket_id}", body)

    async def assign_person(self, ticket_id: str) -> None:
        """The person becomes the owner."""
        await self.put(ticket_id, owner=PERSON)

    async def hand_back(self, ticket_id: str) -> None:
        """The bot becomes the owner."""
        await self.put(ticket_id, owner=BOT)

    async def close_ticket(self, ticket_id: str) -> None:
        """Closed."""
        await self.put(ticket_id, state="closed")

    async def delete_ticket(self, ticket_id: str) -> None:
        """By an administrator, as only they may."""
        await self.as_user(ROOT, "DELETE", f"/tickets/{ticket_id}")

    def break_token(self) -> None:
        """One that Zammad never gave."""
        self.token = "not-a-token"

    async def customer_saw(self, ticket_id: str) -> list[str]:
        """The mails that Zammad sent to the customer about the ticket."""
        mails = self.double.mails
        return [one.text for one in mails if one.ticket_id == int(ticket_id) and "ann@" in one.to]

    async def people_saw(self, ticket_id: str) -> list[str]:
        """All articles of the ticket."""
        return [one.body for one in self.double.articles_of(int(ticket_id))]

    async def fields(self, ticket_id: str) -> DeskFields:
        """As the person sees them."""
        ticket = await self.as_user(EMMA, "GET", f"/tickets/{ticket_id}?expand=true")
        tags = await self.as_user(EMMA, "GET", f"/tags?object=Ticket&o_id={ticket_id}")
        owner = ticket["owner"]
        return DeskFields(
            status=STATUSES.get(ticket["state"], ticket["state"]),
            priority=PRIORITIES[ticket["priority"]],
            group=ticket["group"],
            assignee=None if owner in ("-", BOT) else owner,
            tags=frozenset(tags["tags"]),
        )


@contextlib.asynccontextmanager
async def doubled_zammad(
    timeout_seconds: float = TIMEOUT_SECONDS, line: Callable[[int], FaultProxy] = FaultProxy
) -> AsyncIterator[ZammadHarness]:
    """A harness for a new double; the connector waits so long for an answer."""
    double = ZammadDouble()
    with serving(double.app) as url:
        async with (
            guarded_line(url, timeout_seconds, line) as (proxy, http),
            httpx.AsyncClient(timeout=60, trust_env=False, verify=TLS) as web,
        ):
            yield ZammadHarness(url, double, proxy, http, web, double.token)
