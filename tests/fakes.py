"""Ports and models in memory, for tests of the graph and the toolbox without a database."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import BaseModel, Field

from app.models.offline.chat_model import OfflineChatModel
from graphs.context import Models, Recalled, SupportContext
from graphs.llm.gateway import open_gateway
from graphs.llm.pool import Hold, ModelPool, open_pool
from graphs.llm.structured_chat import StructuredChat
from graphs.llm.structured_output import check
from graphs.nodes.verify import Support
from graphs.policy import GRANTS, Policy
from graphs.reply.question_key import question_sha256
from graphs.reply.reusable_answer import CachedAnswer, reusable
from graphs.state import Ticket
from graphs.suspend import AttemptLostError
from tests.fake_mail import FakeContacts, FakeMailer, FakeMailings, FakeSubscriptions
from tools.catalog import TOOLS
from tools.errors import ApprovalRequiredError, RefusedError, UnavailableError
from tools.ledger import Call, Entry, Permit
from tools.models import (
    FoundArticle,
    Handoff,
    JsonObject,
    Passage,
    Payment,
    RecentRefund,
    Refund,
    SentReply,
    Step,
    Suggestion,
    Urgency,
)
from tools.ports import Billing, Caller, Conversations, Ports
from tools.strategies import live
from tools.toolbox import Toolbox


def payment(
    id_: str, amount: int, what: str, currency: str = "USD", day: str = "2026-11-18"
) -> Payment:
    """A captured payment with nothing given back."""
    return {
        "id": id_,
        "description": what,
        "amount_minor": amount,
        "refunded_minor": 0,
        "currency": currency,
        "captured_at": f"{day}T09:00:00+00:00",
    }


class FakeBilling(Billing):
    """Payments by customer; counts the calls and the refunds it really made."""

    def __init__(self, payments: dict[str, list[Payment]]) -> None:
        self.by_customer = payments
        self.refunds: dict[str, Refund] = {}
        self.calls = 0
        self.finds = 0
        self.keeps_keys = True

    @property
    def repeats_safely(self) -> bool:
        return self.keeps_keys

    async def payments(self, customer_id: str) -> list[Payment]:
        return [p.copy() for p in self.by_customer.get(customer_id, [])]

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        self.calls += 1
        known = self.refunds.get(key) if self.keeps_keys else None
        return known or self.book(payment_id, amount_minor, currency, key)

    def book(self, payment_id: str, amount_minor: int, currency: str, key: str) -> Refund:
        """Move the money, as far as there is any left."""
        everyone = [p for payments in self.by_customer.values() for p in payments]
        paid = next((p for p in everyone if p["id"] == payment_id), None)
        if paid is None or paid["currency"] != currency:
            raise RefusedError("no such payment in this currency")
        if paid["refunded_minor"] + amount_minor > paid["amount_minor"]:
            raise RefusedError("more than was captured")
        paid["refunded_minor"] += amount_minor
        self.refunds[key] = {
            "id": f"re_{len(self.refunds) + 1}",
            "payment_id": payment_id,
            "amount_minor": amount_minor,
            "currency": currency,
        }
        return self.refunds[key]

    async def find_refund(self, key: str, payment_id: str) -> Refund | None:
        self.finds += 1
        found = self.refunds.get(key)
        return found if found and found["payment_id"] == payment_id else None


class SilentBilling(FakeBilling):
    """Never answers a refund; `books` says whether the money moved all the same.

    It keeps no keys, so it does not promise that a repeat is safe.
    """

    books = False

    @property
    def repeats_safely(self) -> bool:
        return False

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        self.calls += 1
        if self.books:
            self.book(payment_id, amount_minor, currency, key)
        raise UnavailableError("no answer in time")


class RefusingBilling(FakeBilling):
    """Says no to refunds of the payments in `refused`."""

    refused: frozenset[str] = frozenset()

    def book(self, payment_id: str, amount_minor: int, currency: str, key: str) -> Refund:
        if payment_id in self.refused:
            raise RefusedError(f"{payment_id} is disputed")
        return super().book(payment_id, amount_minor, currency, key)


class SlowBilling(FakeBilling):
    """Holds every refund until `answer` is set; `asked` tells that one has begun."""

    def __init__(self, payments: dict[str, list[Payment]]) -> None:
        super().__init__(payments)
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        self.asked.set()
        await self.answer.wait()
        return await super().refund(payment_id, amount_minor, currency, reason, key=key)


class FakeConversations(Conversations):
    """Keeps replies and hand-offs by key, and the keys of all calls in order.

    It keeps the laws of tests/conformance/replies.py. All its hand-offs stay open.
    """

    def __init__(self) -> None:
        self.tickets: dict[str, str] = {}
        self.replies: dict[str, SentReply] = {}
        self.handoffs: dict[str, Handoff] = {}
        self.summaries: list[str] = []
        self.suggestions: list[Suggestion | None] = []
        self.articles: list[list[FoundArticle]] = []
        self.keys: list[str] = []

    async def reply(
        self, ticket_id: str, text: str, citations: list[str], *, public: bool, key: str
    ) -> SentReply:
        self.keys.append(key)
        self.tickets.setdefault(key, ticket_id)
        sent: SentReply = {"id": "r", "text": text, "citations": citations, "public": public}
        return self.replies.setdefault(key, sent)

    async def open_handoff(
        self,
        ticket_id: str,
        skill: str,
        urgency: Urgency,
        summary: str,
        *,
        key: str,
        suggestion: Suggestion | None = None,
        articles: Sequence[FoundArticle] = (),
        questions: Sequence[str] = (),
    ) -> Handoff:
        self.keys.append(key)
        self.summaries.append(summary)
        self.suggestions.append(suggestion)
        self.articles.append(list(articles))
        # As in Postgres: `handoff:<run>:<part>`, and one of a ticket's part is open.
        part = key.split(":")[2:]
        for known, handoff in self.handoffs.items():
            same = self.tickets[known] == ticket_id and known.split(":")[2:] == part
            if known == key or same:
                return handoff
        self.tickets[key] = ticket_id
        opened: Handoff = {
            "id": f"h{len(self.handoffs) + 1}",
            "skill": skill,
            "urgency": urgency,
            "agent": {"id": "ag_1", "name": "Mia"},
            "queue_position": None,
            "opens_at": None,
        }
        return self.handoffs.setdefault(key, opened)


class FakeKnowledge:
    """Answers every search with the same passages; `down` plays a search that fails."""

    def __init__(self, passages: Sequence[Passage] = ()) -> None:
        self.passages = list(passages)
        self.queries: list[list[str]] = []
        self.down = False

    async def search(
        self, queries: list[str], language: str | None, limit: int, *, second_round: bool = False
    ) -> list[Passage]:
        self.queries.append(queries)
        if self.down:
            raise UnavailableError("the search does not answer")
        return self.passages[:limit]


class MemoryLedger:
    """The ledger's contract without a database; `lost` plays a run taken over by another."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.spent: dict[str, int] = {}
        self.elsewhere: list[RecentRefund] = []
        self.lost = False

    async def begin(self, call: Call, permit: Permit | None) -> Entry:
        if self.lost:
            raise AttemptLostError("another worker has the run")
        row = self.rows.get(call.key)
        if row is None:
            self.rows[call.key] = {"status": "started", "result": None, "error": None}
            return Entry("started", fresh=True)
        return Entry(row["status"], fresh=False, result=row["result"], error=row["error"])

    async def find(self, key: str) -> Entry | None:
        row = self.rows.get(key)
        if row is None:
            return None
        return Entry(row["status"], fresh=False, result=row["result"], error=row["error"])

    async def finish(self, key: str, result: JsonObject) -> None:
        self.rows[key].update(status="done", result=result)

    async def fail(self, key: str, error: str) -> None:
        self.rows[key].update(status="failed", error=error)

    async def refunded_24h(self) -> dict[str, int]:
        return dict(self.spent)

    async def refunded_elsewhere(self) -> list[RecentRefund]:
        return list(self.elsewhere)

    def statuses(self) -> list[str]:
        """The rows' statuses in the order in which they were begun."""
        return [row["status"] for row in self.rows.values()]


class FakeGate:
    """Permits the steps that a test agreed to, exactly as they were shown."""

    def __init__(self, *, everything: bool = False) -> None:
        self.agreed: list[Step] = []
        self.asked: list[Call] = []
        self.everything = everything

    async def permit(self, call: Call) -> Permit:
        self.asked.append(call)
        shown = [(step["id"], step["tool"], step["args"]) for step in self.agreed]
        if self.everything or (call.step_id, call.tool, call.args) in shown:
            return Permit(approval_id=uuid4())
        raise ApprovalRequiredError(f"no person agreed to {call.key}")


class FakeMeter:
    """Every call costs one; `left` calls are paid for, None for all. Counts what is held."""

    def __init__(self, left: int | None = None) -> None:
        self.left = left
        self.held = 0
        self.asked: list[str] = []

    async def hold(self, model: str, characters: int) -> Hold | None:
        self.asked.append(model)
        if self.left is not None and self.held >= self.left:
            return None
        self.held += 1
        return Hold(model, 1, date(2026, 11, 22))

    async def settle(self, hold: Hold, answer: AIMessage | None) -> None:
        self.held -= 1
        if answer is not None and self.left is not None:
            self.left -= 1


class FakeAnswers:
    """The answer cache's contract without a database, on one version of the articles."""

    def __init__(self) -> None:
        self.kept: dict[bytes, CachedAnswer] = {}
        self.customers: dict[bytes, set[str]] = {}

    async def recall(self, ticket: Ticket) -> Recalled:
        asked = question_sha256(ticket)
        known = self.kept[asked] if len(self.customers.get(asked, ())) > 1 else None
        return Recalled(1, known)

    def keep(self, state: Any, customer: str) -> None:
        """What the end of a run does."""
        if answer := reusable(state, "", [customer]):
            asked = question_sha256(state["ticket"])
            self.kept[asked] = answer
            self.customers.setdefault(asked, set()).add(customer)


SUPPORTED = {Support.__name__: [Support(supported=True, reason="It says so.")]}


class ScriptedModel(OfflineChatModel):
    """Answers each question by its script, the last line again and again; else as offline does.

    A line that is an exception is raised, and a line of text is no valid answer. Whatever it
    claims is supported, unless the script says otherwise.
    """

    model_name: str = "scripted"
    script: dict[str, list[Any]] = Field(default_factory=dict)
    heard: list[tuple[str, str]] = Field(default_factory=list)

    @property
    def asked(self) -> list[str]:
        """The questions in order, each by the name of its schema."""
        return [question for question, _ in self.heard]

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        self.heard.append((kwargs["question"], "\n".join(str(m.content) for m in messages)))
        lines = self.script.get(kwargs["question"], SUPPORTED.get(kwargs["question"]))
        if not lines:
            return super()._generate(messages, stop, run_manager, **kwargs)
        line = lines.pop(0) if len(lines) > 1 else lines[0]
        if isinstance(line, Exception):
            raise line
        text = line.model_dump_json() if isinstance(line, BaseModel) else line
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])

    def with_structured_output(
        self, schema: Any, *, include_raw: bool = False, **_kwargs: Any
    ) -> Runnable[Any, Any]:
        def parse(message: AIMessage) -> Any:
            return check(schema, message)

        return StructuredChat(self, parse, question=schema.__name__)


class World:
    """One run's surroundings, all in memory; every part may be exchanged before it is used."""

    def __init__(
        self, customer: str = "cus_ann", gate: FakeGate | None = None, *, may_mail: bool = False
    ) -> None:
        self.billing = FakeBilling(shop())
        self.subscriptions = FakeSubscriptions()
        self.contacts = FakeContacts()
        self.mailings = FakeMailings()
        self.mailer = FakeMailer()
        self.conversations = FakeConversations()
        self.knowledge = FakeKnowledge()
        self.ledger = MemoryLedger()
        self.gate = gate or FakeGate(everything=True)
        self.policy = Policy()
        self.caller = Caller("acme", customer, "T1", UUID(int=1), 1, may_mail=may_mail)
        offline = OfflineChatModel()
        self.models = Models(offline, offline, offline)
        self.meter = FakeMeter()
        self.answers = FakeAnswers()
        self.limits: dict[str, Any] = {}
        self._pool: ModelPool | None = None
        self._pooled: Models | None = None

    def toolbox(self, node: str) -> Toolbox:
        grants = GRANTS.get(node, frozenset())
        return Toolbox(node, grants, TOOLS, self.ports, self.caller, self.gate, self.ledger, live)

    def configure_model(self) -> None:
        """Let a model with a name of its own answer, as the offline one does."""
        chat = ScriptedModel()
        self.models = Models(chat, chat, OfflineChatModel())

    @property
    def pool(self) -> ModelPool:
        """The models as they are now; the same pool, with its circuits, until they change."""
        if self._pool is None or self._pooled is not self.models:
            self._pool, self._pooled = open_pool(self.models, **self.limits), self.models
        return self._pool

    @property
    def ports(self) -> Ports:
        return Ports(
            self.billing,
            self.subscriptions,
            self.conversations,
            self.knowledge,
            self.contacts,
            self.mailings,
            self.mailer,
            self.ledger,
        )

    @property
    def context(self) -> SupportContext:
        gateway = open_gateway(self.pool, self.caller.tenant_id, self.meter)
        grounding = self.pool.grounding(self.policy.grounding)
        return SupportContext(
            self.caller, self.policy, gateway, self.toolbox, self.answers, grounding
        )


def shop() -> dict[str, list[Payment]]:
    """Ann was charged twice; Bob paid once; Max paid three months."""
    months = (("pay_4001", "September"), ("pay_4002", "October"), ("pay_4003", "November"))
    return {
        "cus_ann": [payment("pay_1001", 4900, "Pro plan"), payment("pay_1002", 4900, "Pro plan")],
        "cus_bob": [payment("pay_2001", 60_000, "Annual plan")],
        "cus_max": [payment(id_, 19_900, f"Team seat {month}") for id_, month in months],
    }
