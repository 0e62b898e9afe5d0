"""A tenant's tickets, advanced in this process by a worker's own code, without queue and watch."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from app.commands.keys import issue_key
from app.db.effects.approvals import approvals_of_runs
from app.db.runs.queue import enqueue_run
from app.db.runs.steps import steps_of_run
from app.db.tables.runs import Run, Step
from app.db.tables.tenants import ApiKey
from app.execution.wiring import Service
from app.services.approvals import decide as approvals
from app.services.approvals.decide import GivenAnswer, Verdict
from app.services.runs import replay as replays
from app.services.runs import start_and_cancel
from app.services.runs.replay import NewReplay
from app.services.runs.start_and_cancel import NewRun
from app.worker.run_runner import RunRunner
from tests.conftest import Tenant

TWICE = "I was charged twice for my Pro plan this month, please refund one of them"


@dataclass(frozen=True, slots=True)
class Workplace:
    """One tenant, its helpdesk, a reviewer, and a worker that does what it is asked."""

    service: Service
    tenant: Tenant

    @property
    def starter(self) -> str:
        """The id of the key that starts runs."""
        return self.tenant.starter.split("_")[1]

    def runner(self, worker: int = 91) -> RunRunner:
        """A worker's runner, as its watch would have set it going."""
        runner = RunRunner(self.service, enqueue_run, worker)
        runner.alive.set()
        return runner

    async def start(
        self,
        body: str = TWICE,
        customer: str = "cus_ann",
        ticket: str = "T-1",
        by: ApiKey | None = None,
    ) -> Run:
        """A new run, not yet advanced."""
        wanted = {"id": ticket, "subject": "Help", "body": body, "customer": {"id": customer}}
        key_id = by.id if by else self.starter
        async with self.service.sessions.begin() as session:
            new = NewRun(wanted, None, {})
            return await start_and_cancel.start(session, self.tenant.id, key_id, new)

    async def key(self, name: str) -> ApiKey:
        """A key of its own that may start, replay and decide."""
        async with self.service.sessions.begin() as session:
            scopes = ["runs:write", "approvals:decide"]
            token = await issue_key(session, self.tenant.id, name, scopes)
            return await session.get_one(ApiKey, token.split("_")[1])

    async def advance(self, run: Run) -> Run:
        """The run as far as it goes now."""
        await self.runner().advance(run.id)
        return await self.run(run.id)

    async def run(self, run_id: UUID) -> Run:
        """The run's row as it is now."""
        async with self.service.sessions() as session:
            return (await session.scalars(select(Run).where(Run.id == run_id))).one()

    async def decide(
        self, run: Run, verdict: Verdict = "approve", comment: str = "", by: ApiKey | None = None
    ) -> Run:
        """A reviewer, or the one named, answers what is open, and the run goes on."""
        reviewer = by or await self.key("Uma")
        async with self.service.sessions.begin() as session:
            approval = (await approvals_of_runs(session, run.tenant_id, [run.id]))[-1]
            answer = GivenAnswer(approval.id, approval.digest, verdict, (), comment)
            await approvals.resume(session, enqueue_run, reviewer, run.id, answer)
        return await self.advance(run)

    async def replay(
        self,
        run: Run,
        node: str,
        *,
        dry_run: bool = False,
        by: ApiKey | None = None,
        **state: Any,
    ) -> Run:
        """The run again from where the node began, advanced as far as it goes."""
        checkpoint_id = (await self.step(run, node)).checkpoint_id or ""
        new = NewReplay(run.id, checkpoint_id, state, dry_run, None)
        key_id = by.id if by else self.starter
        async with self.service.sessions.begin() as session:
            again = await replays.replay(session, enqueue_run, self.tenant.id, key_id, new)
        return await self.advance(again)

    async def steps(self, run: Run) -> list[Step]:
        """The run's node executions."""
        async with self.service.sessions() as session:
            return await steps_of_run(session, self.tenant.id, run.id)

    async def step(self, run: Run, node: str) -> Step:
        """The first execution of a node."""
        return next(step for step in await self.steps(run) if step.node == node)

    async def count(self, table: str) -> int:
        """How many rows the tenant has in a table."""
        query = text(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant")  # noqa: S608
        async with self.service.sessions() as session:
            return int(await session.scalar(query, {"tenant": self.tenant.id}) or 0)

    async def effects(self) -> dict[str, int]:
        """What the world shows: refunds, messages, hand-offs, and rows of the ledger."""
        tables = ("sandbox_refunds", "messages", "handoffs", "ledger")
        return {table: await self.count(table) for table in tables}
