"""Tickets of one tenant, handled by a worker without a queue, and the API in front of them."""

from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import select

from app.commands.keys import issue_key
from app.db.runs.queue import enqueue_run
from app.db.tables.runs import Message, Run
from app.worker.run_runner import RunRunner
from tests.conftest import Tenant

WORKER = 81
QUESTION = "How do I fix upload error E42?"
HUMAN = "I want to speak to a human, now!"
AWAY = {"Auto-Submitted": "auto-replied"}


@dataclass(frozen=True, slots=True)
class Desk:
    """Customers write through the API, and a worker takes what they wrote."""

    runner: RunRunner
    tenant: Tenant
    client: httpx.AsyncClient

    async def start(self, body: str, ticket: str = "T-1", **values: Any) -> str:
        """A message that waits; its run's id."""
        wanted = {"id": ticket, "subject": "Help", "body": body, "customer": {"id": "cus_max"}}
        answer = await self.client.post("/v1/runs", json={"ticket": wanted | values})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def write(self, body: str, ticket: str = "T-1", **values: Any) -> dict[str, Any]:
        """A message, handled as far as it goes."""
        return await self.advance(await self.start(body, ticket, **values))

    async def advance(self, run_id: str) -> dict[str, Any]:
        """The run after a worker had it."""
        async with self.runner.service.sessions() as session:
            run = (await session.scalars(select(Run).where(Run.id == run_id))).one()
        await self.runner.advance(run.id)
        shown = (await self.client.get(f"/v1/runs/{run_id}")).json()
        assert isinstance(shown, dict)
        return shown

    async def replies(self, ticket: str = "T-1") -> list[str]:
        """What the customer was sent."""
        query = select(Message.text).where(
            Message.tenant_id == self.tenant.id, Message.ticket_id == ticket,
            Message.author == "deskgraph",
        )  # fmt: skip
        async with self.runner.service.sessions() as session:
            return list(await session.scalars(query.order_by(Message.id)))

    async def handoffs(self, status: str = "open") -> list[dict[str, Any]]:
        """The hand-offs as the list shows them."""
        page = await self.client.get("/v1/handoffs", params={"status": status})
        return list(page.json()["items"])

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        """A call that succeeds."""
        answer = await self.client.post(path, json=body or None)
        assert answer.status_code == 200, answer.text
        shown = answer.json()
        assert isinstance(shown, dict)
        return shown

    async def take_over(self, ticket: str = "T-1", **body: Any) -> dict[str, Any]:
        """A person takes the ticket."""
        return await self.post(f"/v1/threads/{ticket}/takeover", **body)

    async def hand_back(self, ticket: str = "T-1") -> dict[str, Any]:
        """The bot gets it again."""
        return await self.post(f"/v1/threads/{ticket}/handback")

    async def thread(self, ticket: str = "T-1") -> dict[str, Any]:
        """The thread as the API shows it."""
        shown = (await self.client.get(f"/v1/threads/{ticket}")).json()
        assert isinstance(shown, dict)
        return shown


def worker_on(service: Any) -> RunRunner:
    """A worker that is given which runs to advance."""
    worker = RunRunner(service, enqueue_run, id=WORKER)
    worker.alive.set()
    return worker


async def key_of(runner: RunRunner, tenant: Tenant, name: str = "Uma") -> str:
    """A key that may write, read, decide and set the policy."""
    scopes = ["runs:write", "runs:read", "approvals:decide", "admin"]
    async with runner.service.sessions.begin() as session:
        return await issue_key(session, tenant.id, name, scopes, None)
