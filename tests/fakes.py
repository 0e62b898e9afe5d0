"""Ports in memory, for tests of the graph and the door without a database."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from app.models.offline import OfflineChatModel
from graphs.context import Models, SupportContext
from graphs.policy import GRANTS, Policy
from tools.catalog import tools_for
from tools.errors import ApprovalRequiredError, RefusedError
from tools.models import Handoff, JsonObject, Passage, Payment, Refund, SentReply, Urgency
from tools.ports import Call, Caller, Entry, Permit
from tools.toolbox import Toolbox


def payment(
    id_: str, amount: int, what: str, currency: str = "USD", day: str = "2026-11-18"
) -> Payment:
    return {
        "id": id_,
        "description": what,
        "amount_minor": amount,
        "refunded_minor": 0,
        "currency": currency,
        "captured_at": f"{day}T09:00:00+00:00",
    }


class FakeBilling:
    """Payments by customer; counts the refunds it really made."""

    def __init__(self, payments: dict[str, list[Payment]]) -> None:
        self.by_customer = payments
        self.refunds: dict[str, Refund] = {}
        self.calls = 0

    async def payments(self, customer_id: str) -> list[Payment]:
        return [p.copy() for p in self.by_customer.get(customer_id, [])]

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        self.calls += 1
        if key in self.refunds:
            return self.refunds[key]
        [paid] = [p for ps in self.by_customer.values() for p in ps if p["id"] == payment_id]
        if paid["refunded_minor"] + amount_minor > paid["amount_minor"]:
            raise RefusedError("more than was captured")
        paid["refunded_minor"] += amount_minor
        made: Refund = {
            "id": f"re_{len(self.refunds) + 1}",
            "payment_id": payment_id,
            "amount_minor": amount_minor,
            "currency": currency,
        }
        self.refunds[key] = made
        return made

    async def find_refund(self, key: str) -> Refund | None:
        return self.refunds.get(key)


class FakeHelpdesk:
    """Keeps replies and hand-offs by key."""

    def __init__(self) -> None:
        self.replies: dict[str, SentReply] = {}
        self.handoffs: dict[str, Handoff] = {}
        self.summaries: list[str] = []

    async def reply(
        self, ticket_id: str, text: str, citations: list[str], *, public: bool, key: str
    ) -> SentReply:
        sent: SentReply = {"id": "r", "text": text, "citations": citations, "public": public}
        return self.replies.setdefault(key, sent)

    async def open_handoff(
        self, ticket_id: str, skill: str, urgency: Urgency, summary: str, *, key: str
    ) -> Handoff:
        self.summaries.append(summary)
        opened: Handoff = {
            "id": "h1",
            "skill": skill,
            "urgency": urgency,
            "agent": {"id": "ag_1", "name": "Mia"},
            "queue_position": None,
        }
        return self.handoffs.setdefault(key, opened)


class FakeKnowledge:
    """Answers every search with the same passages."""

    def __init__(self, passages: Sequence[Passage] = ()) -> None:
        self.passages = list(passages)

    async def search(self, queries: list[str], language: str | None, limit: int) -> list[Passage]:
        return self.passages[:limit]


class MemoryLedger:
    """The ledger's contract without a database; `lost` plays a run taken over by another."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    async def begin(self, call: Call, permit: Permit | None) -> Entry:
        row = self.rows.get(call.key)
        if row is None:
            self.rows[call.key] = {"status": "started", "result": None, "error": None}
            return Entry("started", fresh=True)
        return Entry(row["status"], fresh=False, result=row["result"], error=row["error"])

    async def finish(self, key: str, result: JsonObject) -> None:
        self.rows[key].update(status="done", result=result)

    async def fail(self, key: str, error: str) -> None:
        self.rows[key].update(status="failed", error=error)

    async def refunded_24h(self) -> dict[str, int]:
        return {}


class FakeGate:
    """Permits the calls a test lists as agreed, by step id."""

    def __init__(self, *agreed: str, everything: bool = False) -> None:
        self.agreed = set(agreed)
        self.everything = everything

    async def permit(self, call: Call) -> Permit:
        if self.everything or call.step_id in self.agreed:
            return Permit(approval_id=uuid4())
        raise ApprovalRequiredError(f"nobody agreed to {call.key}")


class World:
    """One run's surroundings, all in memory."""

    def __init__(self, customer: str = "cus_ann", gate: FakeGate | None = None) -> None:
        pro = [payment("pay_1001", 4900, "Pro plan"), payment("pay_1002", 4900, "Pro plan")]
        annual = [payment("pay_2001", 60000, "Annual plan")]
        self.billing = FakeBilling({"cus_ann": pro, "cus_bob": annual})
        self.helpdesk = FakeHelpdesk()
        self.knowledge = FakeKnowledge()
        self.ledger = MemoryLedger()
        self.gate = gate or FakeGate(everything=True)
        self.policy = Policy()
        self.caller = Caller("acme", customer, "T1", UUID(int=1), 1)
        offline = OfflineChatModel()
        self.models = Models(offline, offline, offline)

    def toolbox(self, node: str) -> Toolbox:
        tools = tools_for(self.caller, self.billing, self.helpdesk, self.knowledge, self.ledger)
        return Toolbox(node, GRANTS[node], tools, self.gate, self.ledger)

    @property
    def context(self) -> SupportContext:
        return SupportContext(self.caller, self.policy, self.models, self.toolbox)
