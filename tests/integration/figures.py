"""What a tenant's runs did, for the figures of it: rows as the service writes them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from app.db.core.connections import Sessions
from app.db.tables.approvals_and_ledger import Approval, Decision
from app.db.tables.figures import ModelCall
from app.db.tables.runs import Run, Step
from tests.conftest import Tenant


@dataclass(frozen=True, slots=True)
class History:
    """What a tenant's runs did, written as the service writes it."""

    sessions: Sessions
    tenant: Tenant

    async def run(self, at: datetime, **values: Any) -> UUID:
        """A run that finished then."""
        id_ = uuid7()
        row: dict[str, Any] = {
            "id": id_, "tenant_id": self.tenant.id, "thread_id": uuid7(), "ticket_id": f"T-{id_}",
            "customer_id": "cus_ann", "ticket": {"customer": {"id": "cus_ann"}, "id": "T"},
            "status": "success", "outcome": "answered", "result": {}, "attempt": 1,
            "policy_version": 1, "started_by": self.tenant.starter.split("_")[1],
            "request_sha256": b"", "created_at": at - timedelta(seconds=10),
            "started_at": at - timedelta(seconds=9), "finished_at": at, "tokens": 10,
            "cost_usd": Decimal("0.001"),
        }  # fmt: skip
        async with self.sessions.begin() as session:
            session.add(Run(**(row | values)))
        return id_

    async def step(self, run_id: UUID, at: datetime, **values: Any) -> None:
        """A node execution that began then."""
        row: dict[str, Any] = {
            "run_id": run_id, "attempt": 1, "task_id": str(uuid7()), "tenant_id": self.tenant.id,
            "node": "billing", "status": "success", "started_at": at, "duration_ms": 5,
            "tokens": 10, "cost_usd": Decimal("0.001"),
        }  # fmt: skip
        async with self.sessions.begin() as session:
            session.add(Step(**(row | values)))

    async def call(self, run_id: UUID, at: datetime, **values: Any) -> UUID:
        """A call of a model that began then."""
        row: dict[str, Any] = {
            "id": uuid7(), "run_id": run_id, "attempt": 1, "task_id": "t", "number": 1,
            "tenant_id": self.tenant.id, "node": "billing", "role": "strong", "tier": "strong",
            "asked": "gpt-5", "answered": "gpt-5", "fallback": False, "repair": False,
            "input_tokens": 8, "cached_tokens": 0, "output_tokens": 2, "started_at": at,
            "cost_usd": Decimal("0.001"), "duration_ms": 5,
        }  # fmt: skip
        row |= values
        async with self.sessions.begin() as session:
            session.add(ModelCall(**row))
        return UUID(str(row["id"]))

    async def approval(self, run_id: UUID, at: datetime, waited: float) -> None:
        """An approval that was asked then, and decided so many seconds later by Pat."""
        id_, decided = uuid7(), at + timedelta(seconds=waited)
        async with self.sessions.begin() as session:
            session.add(
                Approval(
                    id=id_, tenant_id=self.tenant.id, run_id=run_id, ticket_id="T-1",
                    interrupt_id=str(id_), kind="plan", status="approved", steps=[], gate=[],
                    digest="d", verdicts=[], decision={"decided_by": "Pat"}, created_at=at,
                    expires_at=at, decided_at=decided,
                )
            )  # fmt: skip
            await session.flush()
            session.add(
                Decision(
                    approval_id=id_, number=1, key_id=self.tenant.starter.split("_")[1],
                    tenant_id=self.tenant.id, decided_by="Pat", verdict="approve", comment="",
                    shown_digest="d", digest="d", created_at=decided,
                )
            )  # fmt: skip


async def good_and_bad(history: History) -> None:
    """Two good runs, and one in which everything goes wrong, twenty minutes ago."""
    at = datetime.now(UTC) - timedelta(minutes=20)
    for number in range(2):
        good = await history.run(at, outcome="acted")
        await history.step(good, at, node="respond", duration_ms=40 + number)
        await history.call(good, at, node="respond")
        await history.approval(good, at - timedelta(seconds=60), waited=50)
    bad = await history.run(
        at, status="error", outcome=None, error={"type": "tool_failed"}, losses=1,
        result={"verdicts": [{"supported": False}]},
    )  # fmt: skip
    await history.step(bad, at, status="error", error={"type": "PaymentsAwayError"})
    await history.call(bad, at, error="APITimeoutError", answered=None)
    await history.call(bad, at, fallback=True, reason="circuit_open", answered="gpt-5-mini")
