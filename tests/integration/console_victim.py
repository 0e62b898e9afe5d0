"""A tenant with one of everything at the console, and every address that strangers may try."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import text

from app.console.application import MODULES
from app.db.effects.handoffs import open_handoff
from app.db.knowledge.articles import put_article
from app.db.tables.policy_changes import PolicyChange
from app.db.tables.tenants import ApiKey
from app.execution.wiring import Service
from app.services.connections import manage
from app.services.connections.encryption import vault_of
from app.services.console.sign_in import PAGE_SCOPES
from app.services.tenants import policy as policies
from graphs.policy import Policy
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.console import Console, answer, serving_console

READS = ("approvals:decide", "runs:read")
DECIDES = ("approvals:decide",)
SETTINGS = ("admin", "approvals:decide")
KNOWS = ("articles:write", "runs:read")
# Which scopes each suffice, for every address that asks for a session.
NEEDED: dict[str, tuple[str, ...]] = {
    "GET /console": PAGE_SCOPES,
    "GET /console/live": READS,
    "GET /console/approvals/{approval_id}": READS,
    "GET /console/approvals/{approval_id}/state": READS,
    "POST /console/approvals/{approval_id}": DECIDES,
    "POST /console/items/{item_id}/claim": DECIDES,
    "POST /console/items/{item_id}/release": DECIDES,
    "POST /console/items/{item_id}/snooze": DECIDES,
    "GET /console/handoffs/{handoff_id}": READS,
    "POST /console/handoffs/{handoff_id}": DECIDES,
    "POST /console/threads/{ticket_id:outside_id}/takeover": DECIDES,
    "POST /console/threads/{ticket_id:outside_id}/handback": DECIDES,
    "GET /console/runs": ("runs:read",),
    "GET /console/runs/{run_id}": ("runs:read",),
    "POST /console/runs/{run_id}": ("runs:write",),
    "POST /console/runs/{run_id}/rehearse": ("runs:write",),
    "POST /console/runs/{run_id}/for-real": ("runs:write",),
    "GET /console/figures": ("runs:read",),
    "GET /console/articles": KNOWS,
    "GET /console/article-search": KNOWS,
    "GET /console/articles/{article_id:outside_id}": KNOWS,
    "GET /console/articles/{article_id:outside_id}/edit": ("articles:write",),
    "GET /console/new-article": ("articles:write",),
    "POST /console/articles": ("articles:write",),
    "POST /console/articles/{article_id:outside_id}/delete": ("articles:write",),
    "GET /console/settings": SETTINGS,
    "POST /console/settings/connections/{connection_id}/test": ("admin",),
    "POST /console/settings/connections/{connection_id}/pause": ("admin",),
    "GET /console/settings/policy": SETTINGS,
    "GET /console/settings/policy/versions/{number}": SETTINGS,
    "GET /console/settings/policy/edit": ("admin",),
    "POST /console/settings/policy/edit": ("admin",),
    "POST /console/settings/policy/preview": ("admin",),
    "POST /console/settings/policy": ("admin",),
    "GET /console/settings/keys": ("admin",),
    "POST /console/settings/keys": ("admin",),
    "POST /console/settings/keys/{key_id}/revoke": ("admin",),
    "GET /console/audit": ("admin",),
    "GET /console/policy-changes/{change_id}": SETTINGS,
    "POST /console/policy-changes/{change_id}": ("admin",),
    "POST /console/pause": ("admin",),
}
# Open to people without a session, or to everybody who has one.
OPEN = {
    "GET /console/static/{version}/{name}", "GET /console/sign-in/with-provider",
    "GET /console/sign-in/callback", "GET /console/sign-in", "POST /console/sign-in",
    "GET /console/sign-in/{code}", "POST /console/sign-in/{code}", "POST /console/sign-out",
    "GET /console/{path:path}",
}  # fmt: skip
ALL = ("approvals:decide", "runs:read", "runs:write", "articles:write", "admin")
# What would change something, were it taken.
FORMS = {
    "items/{item_id}/snooze": {"hours": "1"},
    "handoffs/{handoff_id}": {"act": "close"},
    "runs/{run_id}": {"act": "cancel"},
    "for-real": {"ticket": "T-1"},
    "rehearse": {"checkpoint_id": "0" * 32},
    "/console/articles": {"id": "new", "title": "t", "content": "c", "language": "en",
                          "questions": "", "version": "0"},
    "delete": {"version": "1"},
    "pause": {"paused": "yes"},
    "settings/keys": {"id": "0" * 12, "name": "Mallory", "scope-admin": "yes"},
    "policy-changes/{change_id}": {"verdict": "refuse"},
    "sign-out": {"everywhere": "yes"},
}  # fmt: skip
# A table's rows of a tenant in one text.
ROWS = """SELECT md5(string_agg((to_jsonb(t) - 'last_used_at')::text, ' '
    ORDER BY (to_jsonb(t) - 'last_used_at')::text)) FROM {table} t WHERE tenant_id = :tenant"""


@dataclass(frozen=True, slots=True)
class Victim:
    """A tenant with one of everything, and where each is found."""

    console: Console
    places: dict[str, str]
    forms: dict[str, dict[str, str]]

    def place(self, route: str) -> tuple[str, str]:
        """Method and address of a route, about what is the tenant's."""
        method, _, path = route.partition(" ")
        return method, re.sub(r"\{(\w+)[^}]*\}", lambda found: self.places[found[1]], path)

    def form(self, route: str) -> dict[str, str]:
        """A form for the route's address."""
        return next((form for end, form in self.forms.items() if route.endswith(end)), {})

    async def rows(self) -> dict[str, str]:
        """All that is stored of the tenant, but for who is signed in and when keys were used."""
        named = "SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant_id'"
        found: dict[str, str] = {}
        async with self.console.service.sessions() as session:
            for table in set(await session.scalars(text(named))) - {"console_sessions"}:
                query = text(ROWS.format(table=table))
                row = await session.scalar(query, {"tenant": self.console.tenant.id})
                found[table] = str(row)
        return found


@pytest.fixture
async def console(service: Service, tenant: Tenant, begin: Begin) -> AsyncIterator[Console]:
    """The console of a tenant."""
    async with serving_console(service, tenant, begin) as opened:
        yield opened


@pytest.fixture
async def victim(console: Console) -> Victim:
    """One of everything."""
    run, approval = await console.paused("T-1")
    mine = console.tenant.id
    async with console.service.sessions.begin() as session:
        handoff = await open_handoff(
            session, mine, "T-2", "billing", "normal", "Brief", f"handoff:{run.id}"
        )
        await put_article(session, mine, "hours", "Hours", "We are open.", "en", [])
        vault = vault_of(console.service.settings)
        settings = {"url": "https://127.0.0.1:1/in"}
        connection, _ = await manage.add(session, vault, mine, "webhook", "Desk", settings, {})
        await policies.replace(session, mine, Policy(anger_threshold=0.7), None)
        admin = await session.get_one(ApiKey, console.tenant.admin.split("_")[1])
    await console.key("Second", "admin")
    async with console.service.sessions.begin() as session:
        looser = Policy(anger_threshold=0.7, refund_auto_limit={"USD": 9000})
        change = await policies.replace(session, mine, looser, admin)
    assert isinstance(change, PolicyChange)
    places = {
        "approval_id": str(approval.id), "item_id": str(approval.id),
        "handoff_id": str(handoff.id), "run_id": str(run.id), "ticket_id": "T-1",
        "article_id": "hours", "connection_id": connection.id, "change_id": str(change.id),
        "key_id": console.tenant.starter.split("_")[1], "number": "1", "code": "x", "path": "x",
        "version": "x", "name": "x",
    }  # fmt: skip
    decided = {"approvals/{approval_id}": answer(approval, "approve")}
    return Victim(console, places, FORMS | decided)


def routes() -> set[str]:
    """Every address of the console, with its method."""
    found = [route for module in MODULES for route in module.router.routes]
    return {f"{method} {route.path}" for route in found for method in route.methods}


async def ask(browser: httpx.AsyncClient, victim: Victim, route: str) -> httpx.Response:
    """Send what would change something; of a stream only its head is read."""
    method, path = victim.place(route)
    data = victim.form(route) if method == "POST" else None
    async with browser.stream(method, path, data=data) as reply:
        if not reply.headers.get("Content-Type", "").startswith("text/event-stream"):
            await reply.aread()
        return reply


def is_page(reply: httpx.Response) -> None:
    """A page with its policy, kept by no cache and framed by no site."""
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    if reply.status_code != 303:
        assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]


def harmless_first(route: str) -> tuple[bool, str]:
    """Pages first: what is pressed changes what they show."""
    return route.startswith("POST"), route
