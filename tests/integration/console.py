"""The console over real HTTP, as browsers speak to it, with people who are signed in."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from uuid import UUID

import httpx

from app.commands.keys import issue_key
from app.db.tables.approvals_and_ledger import Approval
from app.db.tables.runs import Run
from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.api import PATIENCE_SECONDS, serving_api
from tests.integration.conftest import Begin
from tests.integration.paused import Desk
from tests.tls import TLS

SCOPES = ["approvals:decide", "runs:read"]


@dataclass(frozen=True, slots=True)
class Console:
    """An API with the console, and one tenant's runs in it."""

    url: str
    service: Service
    tenant: Tenant
    desk: Desk
    browsers: list[httpx.AsyncClient] = field(default_factory=list)

    def browser(self) -> httpx.AsyncClient:
        """A browser without a session; it sends what browsers send, and follows no redirect."""
        made = httpx.AsyncClient(
            base_url=self.url,
            headers={"Sec-Fetch-Site": "same-origin", "Origin": self.url},
            timeout=PATIENCE_SECONDS,
            verify=TLS,
        )
        self.browsers.append(made)
        return made

    async def key(
        self, name: str, *scopes: str, limits: dict[str, int] | None = None, person: str = ""
    ) -> str:
        """A new key of the tenant."""
        async with self.service.sessions.begin() as session:
            wanted = list(scopes or SCOPES)
            return await issue_key(
                session, self.tenant.id, name, wanted, limits, person=person or None
            )

    async def sign_in(
        self, name: str, *scopes: str, limits: dict[str, int] | None = None
    ) -> httpx.AsyncClient:
        """A browser that is signed in by a key of that name."""
        browser = self.browser()
        key = await self.key(name, *scopes, limits=limits)
        answer = await browser.post("/console/sign-in", data={"key": key})
        assert answer.status_code == 303, answer.text
        return browser

    async def paused(self, ticket: str = "T-1", **gate: Any) -> tuple[Run, Approval]:
        """A run that waits, and its approval."""
        run = await self.desk.pause(ticket, **gate)
        return run, await self.desk.approval(run)


@asynccontextmanager
async def serving_console(
    service: Service, tenant: Tenant, begin: Begin, **settings: Any
) -> AsyncIterator[Console]:
    """The console of a tenant, until the end."""
    desk = Desk(service.sessions, tenant, begin)
    async with serving_api(service, **settings) as url:
        console = Console(url, service, tenant, desk)
        try:
            yield console
        finally:
            for browser in console.browsers:
                await browser.aclose()


def card(approval: Approval | UUID) -> str:
    """The address of an approval's card."""
    return f"/console/approvals/{approval if isinstance(approval, UUID) else approval.id}"


def words(page: httpx.Response) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page.text)).split())


def answer(approval: Approval, verdict: str, **fields: str) -> dict[str, str]:
    """The form that a card sends."""
    return {"digest": approval.digest, "verdict": verdict, **fields}
