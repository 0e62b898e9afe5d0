"""Exchanges of customers with a tenant, without a worker."""

from typing import Any

from app.db.core.connections import Sessions
from app.db.runs import transitions
from app.db.runs.steps import add_message
from app.db.runs.transitions import Ending
from app.db.tables.conversations import ConversationSummary
from app.db.tables.runs import Run
from app.lifecycle import RunStatus
from app.services.conversations.memory import load_memory
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import NewRun
from graphs.conversation import Memory
from graphs.run.memory import WINDOW_EXCHANGES
from tests.conftest import Tenant
from tests.integration.claims import claim_one

WORKER = 80


class Shop:
    """Exchanges of customers with a tenant, without a worker."""

    def __init__(self, sessions: Sessions, tenant: Tenant) -> None:
        self.sessions, self.tenant = sessions, tenant

    async def ask(self, text: str, customer: str = "cus_a", ticket: str = "T-1") -> Run:
        """A message whose run has begun."""
        wanted = {"id": ticket, "subject": f"About {ticket}", "body": text}
        new = NewRun({**wanted, "customer": {"id": customer}}, None, {})
        key_id = self.tenant.starter.split("_")[1]
        async with self.sessions.begin() as session:
            run = await start_and_cancel.start(session, self.tenant.id, key_id, new)
        async with self.sessions.begin() as session:
            claimed = await claim_one(session, run.id, WORKER)
            assert claimed is not None
            return claimed

    async def answer(self, run: Run, text: str, *, public: bool = True, **summary: Any) -> None:
        """A reply, and the end of the run."""
        async with self.sessions.begin() as session:
            await add_message(
                session, tenant_id=run.tenant_id, ticket_id=run.ticket_id, run_id=run.id,
                author="deskgraph", key=f"reply:{run.id}", text=text, public=public,
            )  # fmt: skip
            ending = Ending(RunStatus.SUCCESS, outcome="answered", result=summary)
            assert await transitions.settle(session, run.id, run.attempt, ending)

    async def exchange(self, text: str, customer: str = "cus_a", ticket: str = "T-1") -> Run:
        """A message and its reply."""
        run = await self.ask(text, customer, ticket)
        await self.answer(run, f"Re: {text}")
        return run

    async def load_memory(self, run: Run) -> Memory:
        """What the run knows."""
        async with self.sessions.begin() as session:
            return await load_memory(session, run)

    async def summary(self) -> ConversationSummary | None:
        """The summary of T-1."""
        async with self.sessions() as session:
            return await session.get(ConversationSummary, (self.tenant.id, "T-1", "cus_a"))


async def fill(shop: Shop, exchanges: int = WINDOW_EXCHANGES) -> Run:
    """As many exchanges; the last run."""
    last = None
    for number in range(exchanges):
        last = await shop.exchange(f"Message {number}. More words.")
    assert last is not None
    return last
