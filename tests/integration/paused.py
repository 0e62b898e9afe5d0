"""A run that waits at a gate without a worker, and people who answer it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from app.commands.keys import issue_key
from app.db.core.connections import Sessions
from app.db.effects.approvals import approvals_of_runs, decisions_on
from app.db.runs.queue import enqueue_run
from app.db.runs.transitions import Ending
from app.db.tables.approvals_and_ledger import Approval, Decision
from app.db.tables.runs import Run
from app.db.tables.tenants import ApiKey
from app.execution import finish
from app.lifecycle import RunStatus
from app.services.approvals import decide as approvals
from app.services.approvals.decide import GivenAnswer, Verdict
from app.services.approvals.edit import StepEdit
from app.services.approvals.open_approval import digest_of
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import NewRun
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.unit.test_policy import step

PLAN: list[Any] = [step(60_000), step(4900, number=2)]
VERDICTS = ["approve", "edit", "reject", "respond"]


@dataclass(frozen=True, slots=True)
class Desk:
    """A tenant's runs, its approvers and what they answer."""

    sessions: Sessions
    tenant: Tenant
    begin: Begin

    async def pause(self, ticket: str = "T-1", **gate: Any) -> Run:
        """A new run that waits with a plan of two steps."""
        caller = await self.begin(ticket=ticket)
        run = await self.run(caller.run_id)
        await self.stop(run, "gate-1", **gate)
        return await self.run(run.id)

    async def stop(self, run: Run, interrupt_id: str, **gate: Any) -> None:
        """The run's execution ends at a gate."""
        shown = {
            "kind": "plan", "verdicts": VERDICTS, "expires_in_seconds": 3600, "steps": PLAN,
            "gate": ["too much"], "required_approvers": 1, "changed": [], "round": 0,
        }  # fmt: skip
        paused = Ending(RunStatus.INTERRUPTED, interrupt_id=interrupt_id, question=shown | gate)
        async with self.sessions.begin() as session:
            assert await finish.settle(session, enqueue_run, run, paused)

    async def ask_again(self, run: Run) -> None:
        """Put the run and its newest approval back to where no person has answered."""
        approval = await self.approval(run)
        asked = {"status": "pending", "decision": None, "answers": 0, "steps": PLAN, "changed": []}
        plan = digest_of(approval, steps=PLAN, changed=[], verdicts=VERDICTS)
        async with self.sessions.begin() as session:
            await session.execute(delete(Decision).where(Decision.approval_id == approval.id))
            again = update(Approval).where(Approval.id == approval.id)
            await session.execute(again.values(digest=plan, **asked))
            interrupted = update(Run).where(Run.id == run.id).values(status=RunStatus.INTERRUPTED)
            await session.execute(interrupted)

    async def write(self, body: str, ticket: str = "T-1", customer: str = "cus_max") -> Run:
        """A customer writes on the ticket, the one of `pause` again unless one is given."""
        wanted = {"id": ticket, "subject": "s", "body": body, "customer": {"id": customer}}
        key_id = self.tenant.starter.split("_")[1]
        async with self.sessions.begin() as session:
            new = NewRun(wanted, None, {})
            return await start_and_cancel.start(session, self.tenant.id, key_id, new)

    async def person(self, name: str, limits: dict[str, int] | None = None) -> ApiKey:
        """A person who may decide."""
        async with self.sessions.begin() as session:
            token = await issue_key(session, self.tenant.id, name, ["approvals:decide"], limits)
            key = await session.get(ApiKey, token.split("_")[1])
            assert key is not None
            return key

    async def run(self, run_id: UUID) -> Run:
        """The run's row as it is now."""
        async with self.sessions() as session:
            return (await session.scalars(select(Run).where(Run.id == run_id))).one()

    async def approval(self, run: Run) -> Approval:
        """The run's newest approval as it is now."""
        async with self.sessions() as session:
            return (await approvals_of_runs(session, run.tenant_id, [run.id]))[-1]

    async def decisions(self, approval: Approval) -> list[Decision]:
        """What people answered so far, in order."""
        async with self.sessions() as session:
            return (await decisions_on(session, [approval.id])).get(approval.id, [])

    async def decide(
        self, who: ApiKey, approval: Approval, verdict: Verdict, *edits: StepEdit, comment: str = ""
    ) -> Run:
        """Answer what was read."""
        answer = GivenAnswer(approval.id, approval.digest, verdict, edits, comment)
        async with self.sessions.begin() as session:
            return await approvals.resume(session, enqueue_run, who, approval.run_id, answer)
