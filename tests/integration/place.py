"""The API in the test's own process, with the people who call it and the states of its runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy import text
from standardwebhooks import Webhook

from app.api.application import create_app
from app.api.http.dependencies import SCOPES, Backend
from app.api.http.pagination import Cursors
from app.commands.keys import issue_key
from app.db.runs.queue import enqueue_run
from app.execution.wiring import Service
from tests.acceptance.refusals import NOBODY
from tests.acceptance.stack import ticket
from tests.conftest import Tenant
from tests.documented import own_document
from tests.integration.claims import claim_one
from tests.integration.conftest import WORKER
from tests.integration.paused import Desk
from tests.integration.workplace import Workplace

E42 = "My upload fails with error E42. How do I fix it?"
# No process listens there.
CONNECTION = {"kind": "webhook", "name": "Own", "settings": {"url": "https://127.0.0.1:1/in"}}
DOCUMENT = own_document()
OPERATIONS = list(DOCUMENT.operations)


def client(service: Service, key: str = "", **settings: Any) -> httpx.AsyncClient:
    """Speaks to an API of its own in this process, with these settings changed."""
    return in_process(app_of(service, **settings), key)


def app_of(service: Service, **settings: Any) -> FastAPI:
    """The API with these settings changed."""
    changed = service.settings.model_copy(update=settings)
    return create_app(Backend(changed, service.sessions, enqueue_run, Cursors("tests")))


def signed(secret: str, body: bytes) -> dict[str, Any]:
    """A hook as httpx sends it, with the signature of Standard Webhooks."""
    now = datetime.now(UTC)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": f"d{now.timestamp()}",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(f"d{now.timestamp()}", now, body.decode()),
    }
    return {"content": body, "headers": headers}


def in_process(app: Any, key: str) -> httpx.AsyncClient:
    """Speaks to an application without a socket."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers)


def bare(operation: str, **ids: Any) -> tuple[str, str]:
    """Method and address of an operation, about nothing that exists unless `ids` name it."""
    method, path = operation.split(" ")
    names = ("run_id", "approval_id", "handoff_id", "item_id", "callback_id", "endpoint_id",
             "change_id")  # fmt: skip
    known = {**dict.fromkeys(names, NOBODY), "code": "internal", **ids}
    for name in ("ticket_id", "customer_id", "article_id", "connection_id", "agent_id", "key_id"):
        known.setdefault(name, "nobody")
    return method, path.format(**known)


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant, a person who starts runs and one who decides; both hold every scope.

    `apps` are the APIs that its callers share, by name: to make one takes longer than a call.
    """

    service: Service
    tenant: Tenant
    starter: httpx.AsyncClient
    reviewer: httpx.AsyncClient
    apps: dict[str, FastAPI]

    def caller(self, key: str) -> httpx.AsyncClient:
        """A caller with that key."""
        return in_process(self.apps["own"], key)

    async def key(self, *scopes: str, limits: dict[str, int] | None = None) -> str:
        """A new key of the tenant."""
        async with self.service.sessions.begin() as session:
            return await issue_key(session, self.tenant.id, "extra", list(scopes), limits)

    async def done(self, body: str = E42, ticket: str = "T-1") -> Any:
        """A run that has ended, by the whole workflow."""
        work = Workplace(self.service, self.tenant)
        return await work.advance(await work.start(body, ticket=ticket))

    async def start(self, **more: Any) -> Any:
        """A run that waits for a worker."""
        answer = await self.starter.post("/v1/runs", json={**ticket("cus_max", E42), **more})
        return answer.json()

    async def paused(self, **gate: Any) -> tuple[str, dict[str, Any]]:
        """A run that waits for a decision: its address, and the answer that approves it."""
        run_id = UUID((await self.start())["id"])
        desk = Desk(self.service.sessions, self.tenant, None)  # type: ignore[arg-type]
        async with self.service.sessions.begin() as session:
            claimed = await claim_one(session, run_id, WORKER)
        assert claimed is not None
        await desk.stop(claimed, f"gate-{run_id}", **gate)
        [approval] = (await self.starter.get(f"/v1/runs/{run_id}")).json()["approvals"]
        answer = {"approval_id": approval["id"], "digest": approval["digest"]}
        return f"/v1/runs/{run_id}/resume", {**answer, "verdict": "approve"}

    async def change(self, sql: str, **values: Any) -> None:
        """Change rows of the tenant past the API."""
        async with self.service.sessions.begin() as session:
            await session.execute(text(sql), {"tenant": self.tenant.id, **values})


def expect(answer: httpx.Response, code: str) -> None:
    """The answer is documented, and has this code."""
    DOCUMENT.check(answer)
    assert answer.json()["code"] == code, answer.text


@asynccontextmanager
async def opened(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """The tenant with its two people."""
    async with service.sessions.begin() as session:
        keys = [await issue_key(session, tenant.id, name, list(SCOPES)) for name in ("Uma", "Vic")]
    app = app_of(service)
    async with in_process(app, keys[0]) as starter, in_process(app, keys[1]) as reviewer:
        yield Place(service, tenant, starter, reviewer, {"own": app})
