"""The harness of Request Tracker, the same for our double and for RT itself.

The customer writes by mail, through RT's mail gateway; the person uses REST 2 with a password.
"""

import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Protocol

import httpx
from pydantic import SecretStr

from app.connectors.connector import Opened
from app.connectors.helpdesk import Helpdesk
from app.connectors.http import TIMEOUT_SECONDS, HttpClient
from app.connectors.request_tracker import REQUEST_TRACKER
from app.connectors.request_tracker.settings import (
    RequestTrackerCredentials,
    RequestTrackerSettings,
)
from tests.conformance.faulty_line import FaultyLine
from tests.conformance.guarded_line import guarded_line
from tests.conformance.harness import DeskFields, Feature
from tests.doubles.fault_proxy import FaultProxy
from tests.doubles.request_tracker_double import RequestTrackerDouble
from tests.doubles.server import serving
from tests.tls import TLS

BOT, PERSON, CUSTOMER = "deskgraph", "emma", "ann@customer.test"
STATUSES = {"new": "open", "stalled": "pending", "resolved": "solved"}
PRIORITIES = {"0": "low", "50": "normal", "100": "high"}

numbers = itertools.count(1)


class SentMail(Protocol):
    """A mail that RT sent."""

    @property
    def to(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(slots=True)
class RequestTrackerHarness(FaultyLine):
    """`proxy` stands before RT for the connector alone."""

    url: str
    token: str
    # Of a user without any right.
    clerk_token: str
    password: str
    proxy: FaultProxy
    http: HttpClient
    web: httpx.AsyncClient
    mails: Callable[[], Sequence[SentMail]]
    settings: dict[str, Any] = field(default_factory=dict)
    person: str = PERSON
    groups: tuple[str, str] = ("General", "Finance")
    lacks: Mapping[Feature, str] = field(default_factory=dict)

    @property
    def opened(self) -> Opened:
        """The connection, through the proxy."""
        settings = {"base_url": self.proxy.url, "bot": BOT, "tags_field": "Tags", **self.settings}
        return Opened(
            id="con_1",
            tenant_id="t",
            settings=RequestTrackerSettings(**settings),
            credentials=RequestTrackerCredentials(token=SecretStr(self.token)),
            http=self.http,
        )

    @property
    def desk(self) -> Helpdesk:
        """The connector."""
        assert REQUEST_TRACKER.desk is not None
        return REQUEST_TRACKER.desk(self.opened)

    async def as_person(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """A call of the person; it must go well."""
        auth = (self.person, self.password)
        url = f"{self.url}/REST/2.0{path}"
        response = await self.web.request(method, url, json=body, auth=auth)
        return response.raise_for_status()

    async def mail(self, subject: str, text: str, sender: str = CUSTOMER) -> None:
        """A mail of plain text to the desk."""
        mail = EmailMessage()
        mail.set_content(text)
        await self.send(mail, subject, sender)

    async def send(self, mail: EmailMessage, subject: str, sender: str = CUSTOMER) -> None:
        """A mail with any content."""
        mail["From"], mail["To"], mail["Subject"] = sender, "support@desk.test", subject
        mail["Message-ID"] = f"<{secrets.token_hex(8)}@customer.test>"
        form = {"message": mail.as_string(), "queue": "General", "action": "correspond"}
        response = await self.web.post(f"{self.url}/REST/1.0/NoAuth/mail-gateway", data=form)
        assert response.text.startswith("ok"), response.text

    async def open_ticket(self, subject: str, text: str) -> str:
        """By mail; found by its subject."""
        unique = f"{subject} {next(numbers)} {secrets.token_hex(4)}"
        await self.mail(unique, text)
        params = {"query": f"Subject = '{unique}'"}
        found = await self.as_person("GET", f"/tickets?{httpx.QueryParams(params)}")
        [item] = found.json()["items"]
        return str(item["id"])

    async def customer_writes(self, ticket_id: str, text: str) -> None:
        """By mail, with the ticket's number in the subject as RT's mails have it."""
        await self.mail(f"Re: [desk.test #{ticket_id}] more", text)

    async def person_replies(self, ticket_id: str, text: str) -> None:
        """Correspond."""
        body = {"Content": text, "ContentType": "text/plain"}
        await self.as_person("POST", f"/ticket/{ticket_id}/correspond", body)

    async def person_notes(self, ticket_id: str, text: str) -> None:
        """Comment."""
        body = {"Content": text, "ContentType": "text/plain"}
        await self.as_person("POST", f"/ticket/{ticket_id}/comment", body)

    async def assign_person(self, ticket_id: str) -> None:
        """The person takes it."""
        await self.put(ticket_id, {"Owner": self.person})

    async def hand_back(self, ticket_id: str) -> None:
        """The person gives it away."""
        await self.put(ticket_id, {"Owner": "Nobody"})

    async def close_ticket(self, ticket_id: str) -> None:
        """Resolved."""
        await self.put(ticket_id, {"Status": "resolved"})

    async def delete_ticket(self, ticket_id: str) -> None:
        """Deleted, which RT still shows."""
        await self.as_person("DELETE", f"/ticket/{ticket_id}")

    async def put(self, ticket_id: str, body: dict[str, Any]) -> None:
        """A change by the person, which must be made: RT says a refusal with status 200 too."""
        said = (await self.as_person("PUT", f"/ticket/{ticket_id}", body)).json()
        assert any("changed" in sentence for sentence in said), said

    def break_token(self) -> None:
        """One that RT never gave."""
        self.token = "1-2-0123456789abcdef0123456789abcdef"

    async def customer_saw(self, ticket_id: str) -> list[str]:
        """The mails that RT sent to the customer about the ticket."""
        tag = f"[desk.test #{ticket_id}]"
        return [mail.text for mail in self.mails() if tag in mail.subject and CUSTOMER in mail.to]

    async def people_saw(self, ticket_id: str) -> list[str]:
        """All parts of the ticket's messages."""
        query = "fields=TransactionId,Content&per_page=100&orderby=id"
        found = await self.as_person("GET", f"/ticket/{ticket_id}/attachments?{query}")
        return [item["Content"] for item in found.json()["items"]]

    async def fields(self, ticket_id: str) -> DeskFields:
        """As REST 2 shows them to the person."""
        path = f"/ticket/{ticket_id}?{httpx.QueryParams({'fields[Queue]': 'Name'})}"
        ticket = (await self.as_person("GET", path)).json()
        owner = ticket["Owner"]["id"]
        tags = [f["values"] for f in ticket["CustomFields"] if f["name"] == "Tags"]
        return DeskFields(
            status=STATUSES.get(ticket["Status"], ticket["Status"]),
            priority=PRIORITIES[str(ticket["Priority"])],
            group=ticket["Queue"]["Name"],
            assignee=None if owner in ("Nobody", BOT) else owner,
            tags=frozenset(tags[0] if tags else ()),
        )


@contextlib.asynccontextmanager
async def request_tracker(
    url: str,
    tokens: tuple[str, str],
    password: str,
    mails: Callable[[], Sequence[SentMail]],
    timeout_seconds: float,
) -> AsyncIterator[RequestTrackerHarness]:
    """A harness for the RT at the URL, with the tokens of the bot and of a user without rights.

    The connector waits so long for an answer.
    """
    async with (
        guarded_line(url, timeout_seconds) as (proxy, http),
        httpx.AsyncClient(timeout=60, trust_env=False, verify=TLS) as web,
    ):
        yield RequestTrackerHarness(url, *tokens, password, proxy, http, web, mails)


@contextlib.asynccontextmanager
async def doubled_request_tracker() -> AsyncIterator[RequestTrackerHarness]:
    """A harness for a new double."""
    double = RequestTrackerDouble()
    with serving(double.app) as url:
        async with request_tracker(
            url,
            (double.token, double.clerk_token),
            "password",
            lambda: double.mails,
            TIMEOUT_SECONDS,
        ) as harness:
            yield harness
