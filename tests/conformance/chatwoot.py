"""The harness of Chatwoot, against our double of it."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr

from app.connectors.chatwoot import CHATWOOT
from app.connectors.chatwoot.settings import ChatwootCredentials, ChatwootSettings
from app.connectors.connector import Opened
from app.connectors.helpdesk import Helpdesk
from app.connectors.http import TIMEOUT_SECONDS, HttpClient
from tests.conformance.faulty_line import FaultyLine
from tests.conformance.guarded_line import guarded_line
from tests.conformance.harness import DeskFields, Feature
from tests.doubles.chatwoot_double import ChatwootDouble
from tests.doubles.chatwoot_state import (
    ACCOUNT,
    BOT,
    EMMA,
    READER,
    ROOT,
    ChatwootConversation,
    ChatwootMessage,
)
from tests.doubles.fault_proxy import FaultProxy
from tests.doubles.server import serving
from tests.tls import TLS

STATUSES = {"resolved": "solved"}
PRIORITIES = {"medium": "normal"}
# Labels have no blanks.
TAGS = {"vip-customer": "vip customer"}


@dataclass(slots=True)
class ChatwootHarness(FaultyLine):
    """`proxy` stands before Chatwoot for the connector alone."""

    url: str
    double: ChatwootDouble
    proxy: FaultProxy
    http: HttpClient
    web: httpx.AsyncClient
    bot_token: str
    agent_token: str
    settings: dict[str, Any] = field(default_factory=dict)
    person: str = "emma@desk.test"
    groups: tuple[str, str] = ("General", "Finance")
    lacks: Mapping[Feature, str] = field(default_factory=dict)

    @property
    def opened(self) -> Opened:
        """The connection, through the proxy."""
        settings = {"base_url": self.proxy.url, "account_id": ACCOUNT, **self.settings}
        return Opened(
            id="con_1",
            tenant_id="t",
            settings=ChatwootSettings(**settings),
            credentials=ChatwootCredentials(
                bot_token=SecretStr(self.bot_token),
                agent_token=SecretStr(self.agent_token),
                webhook_secret=SecretStr(self.double.secret),
            ),
            http=self.http,
        )

    @property
    def desk(self) -> Helpdesk:
        """The connector."""
        assert CHATWOOT.desk is not None
        return CHATWOOT.desk(self.opened)

    def conversation(self, ticket_id: str) -> ChatwootConversation:
        """As Chatwoot has it."""
        return self.double.conversations[int(ticket_id)]

    def said(self, ticket_id: str) -> list[ChatwootMessage]:
        """The messages that Chatwoot has."""
        return self.double.of(int(ticket_id))

    async def as_user(self, user: int, method: str, path: str, body: Any = None) -> Any:
        """A call of a user in the account; it must go well."""
        headers = {"api_access_token": self.double.users[user].token}
        url = f"{self.url}/api/v1/accounts/{ACCOUNT}{path}"
        response = await self.web.request(method, url, json=body, headers=headers)
        response.raise_for_status()
        return response.json() if response.content else None

    async def open_ticket(self, subject: str, text: str) -> str:
        """In an inbox of mails, which alone have a subject."""
        made = self.double.open(text)
        made.subject = subject
        return str(made.id)

    async def customer_writes(self, ticket_id: str, text: str) -> None:
        """In the widget."""
        self.double.customer_writes(self.conversation(ticket_id), text)

    async def _person_writes(self, ticket_id: str, text: str, *, private: bool) -> None:
        body = {"content": text, "message_type": "outgoing", "private": private}
        await self.as_user(EMMA, "POST", f"/conversations/{ticket_id}/messages", body)

    async def person_replies(self, ticket_id: str, text: str) -> None:
        """By the interface, which a pending conversation does not stop."""
        await self._person_writes(ticket_id, text, private=False)

    async def person_notes(self, ticket_id: str, text: str) -> None:
        """A private note."""
        await self._person_writes(ticket_id, text, private=True)

    async def assign_person(self, ticket_id: str) -> None:
        """The person takes it."""
        path = f"/conversations/{ticket_id}/assignments"
        await self.as_user(EMMA, "POST", path, {"assignee_id": EMMA})

    async def hand_back(self, ticket_id: str) -> None:
        """The person assigns the bot."""
        body = {"assignee_type": "AgentBot", "assignee_id": BOT}
        await self.as_user(EMMA, "POST", f"/conversations/{ticket_id}/assignments", body)

    async def close_ticket(self, ticket_id: str) -> None:
        """Resolved."""
        path = f"/conversations/{ticket_id}/toggle_status"
        await self.as_user(EMMA, "POST", path, {"status": "resolved"})

    async def delete_ticket(self, ticket_id: str) -> None:
        """By an administrator, as only they may."""
        await self.as_user(ROOT, "DELETE", f"/conversations/{ticket_id}")

    def break_token(self) -> None:
        """Two that Chatwoot never gave."""
        self.bot_token = self.agent_token = "not-a-token"

    async def customer_saw(self, ticket_id: str) -> list[str]:
        """The public messages that are not theirs."""
        said = self.said(ticket_id)
        return [one.content for one in said if one.kind == "outgoing" and not one.private]

    async def people_saw(self, ticket_id: str) -> list[str]:
        """All messages."""
        return [one.content for one in self.said(ticket_id)]

    async def fields(self, ticket_id: str) -> DeskFields:
        """As an agent sees them."""
        shown = await self.as_user(READER, "GET", f"/conversations/{ticket_id}")
        meta, priority = shown["meta"], shown["priority"]
        person = meta["assignee"] if meta["assignee_type"] == "User" else None
        return DeskFields(
            status=STATUSES.get(shown["status"], shown["status"]),
            priority=PRIORITIES.get(priority, priority),
            group=meta["team"]["name"] if meta["team"] else "General",
            assignee=person["email"] if person else None,
            tags=frozenset(TAGS.get(label, label) for label in shown["labels"]),
        )


@contextlib.asynccontextmanager
async def doubled_chatwoot(
    timeout_seconds: float = TIMEOUT_SECONDS, line: Callable[[int], FaultProxy] = FaultProxy
) -> AsyncIterator[ChatwootHarness]:
    """A harness for a new double; the connector waits so long for an answer."""
    double = ChatwootDouble()
    with serving(double.app) as url:
        async with (
            guarded_line(url, timeout_seconds, line) as (proxy, http),
            httpx.AsyncClient(timeout=60, trust_env=False, verify=TLS) as web,
        ):
            tokens = (double.bot.token, double.users[READER].token)
            yield ChatwootHarness(url, double, proxy, http, web, *tokens)
