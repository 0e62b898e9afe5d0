"""The real classes at the ports, which may die before or after what they do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

from psycopg_pool import AsyncConnectionPool

from app.adapters.effects.ledger import PostgresLedger
from app.adapters.ports.conversations import PostgresConversations
from app.adapters.ports.sandbox_billing import SandboxBilling
from app.adapters.ports.sandbox_subscriptions import SandboxSubscriptions
from app.adapters.ports.smtp import SandboxMailer
from app.db.checkpoints.fence import Holder
from app.db.checkpoints.group_commit import Batch, GroupCommit
from app.db.checkpoints.saver import GroupingSaver
from app.db.core.connections import Sessions
from app.execution.wiring import Graph, PortsFor, Service, ports_for
from app.models.offline.chat_model import OfflineChatModel
from app.settings import Settings
from graphs.context import Models
from graphs.llm.pool import open_pool
from graphs.support import build_support_graph
from tests.acceptance.crash.doomed_graph import DoomedGraph
from tests.acceptance.crash.hazard import Hazard
from tools.ledger import Call, Entry, Permit
from tools.models import Cancellation, Delivery, Handoff, JsonObject, Mail, Refund, SentReply
from tools.ports import Caller, Ports

# The offline model takes no time; a kill in the middle of a call needs some.
MODEL_SECONDS = 0.02


class DoomedModel(OfflineChatModel):
    """Dies inside the call, after it has taken its time. Its plans need no person within limits."""

    model_name: str = "doomed"
    hazard: Any

    async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(MODEL_SECONDS)
        self.hazard.reach("in_model")
        return self._generate(*args, **kwargs)


class DoomedCommit(GroupCommit):
    """Dies before or after checkpoints are durable."""

    hazard: Hazard

    async def _commit(self, batch: Batch) -> None:
        self.hazard.reach("before_checkpoint")
        await super()._commit(batch)
        self.hazard.reach("after_checkpoint")


class DoomedSaver(GroupingSaver):
    """Dies when an execution begins, right after the claim, and when it is over, unsettled."""

    hazard: Hazard

    @asynccontextmanager
    async def behind(self, holder: Holder) -> AsyncIterator[None]:
        """See GroupingSaver; an execution writes within it."""
        run_id, _ = holder
        self.hazard.note("claim", run=run_id)
        self.hazard.reach("after_claim")
        async with super().behind(holder):
            yield
        self.hazard.note("settle", run=run_id)
        self.hazard.reach("before_settle")


@dataclass(frozen=True)
class DoomedLedger(PostgresLedger):
    """Dies between the row that says `started` and the call, or after the one that says `done`."""

    hazard: Hazard

    async def begin(self, call: Call, permit: Permit | None) -> Entry:
        """See PostgresLedger."""
        entry = await PostgresLedger.begin(self, call, permit)
        self.hazard.reach("before_effect")
        return entry

    async def finish(self, key: str, result: JsonObject) -> None:
        """See PostgresLedger."""
        await PostgresLedger.finish(self, key, result)
        self.hazard.reach("after_ledger")


@dataclass(frozen=True)
class DoomedBilling(SandboxBilling):
    """Notes each call that reaches the provider, and dies once it has answered."""

    hazard: Hazard

    async def refund(
        self, payment_id: str, amount_minor: int, currency: str, reason: str, *, key: str
    ) -> Refund:
        """See SandboxBilling."""
        self.hazard.note("call", key=key)
        made = await SandboxBilling.refund(
            self, payment_id, amount_minor, currency, reason, key=key
        )
        self.hazard.reach("after_provider")
        return made


@dataclass(frozen=True)
class DoomedSubscriptions(SandboxSubscriptions):
    """The same for cancellations, of a provider that promises nothing about a repeated key."""

    hazard: Hazard

    @property
    def repeats_safely(self) -> bool:
        """See Billing: so a cancellation of unknown end goes to a person."""
        return False

    async def cancel_subscription(
        self, subscription_id: str, reason: str, *, key: str
    ) -> Cancellation:
        """See SandboxSubscriptions."""
        self.hazard.note("call", key=key)
        made = await SandboxSubscriptions.cancel_subscription(
            self, subscription_id, reason, key=key
        )
        self.hazard.reach("after_provider")
        return made


@dataclass(frozen=True)
class DoomedConversations(PostgresConversations):
    """Dies once a reply or a hand-off is there; these may be asked for again."""

    hazard: Hazard = field(kw_only=True)

    async def reply(
        self, ticket_id: str, text: str, citations: list[str], *, public: bool, key: str
    ) -> SentReply:
        """See PostgresConversations."""
        sent = await PostgresConversations.reply(
            self, ticket_id, text, citations, public=public, key=key
        )
        self.hazard.reach("after_provider")
        return sent

    async def open_handoff(
        self, ticket_id: str, skill: str, urgency: Any, summary: str, *, key: str, **found: Any
    ) -> Handoff:
        """See PostgresConversations."""
        opened = await PostgresConversations.open_handoff(
            self, ticket_id, skill, urgency, summary, key=key, **found
        )
        self.hazard.reach("after_provider")
        return opened


@dataclass(frozen=True)
class DoomedMailer(SandboxMailer):
    """Notes each mail before it leaves, and dies once it has left."""

    hazard: Hazard

    @asynccontextmanager
    async def open(self) -> AsyncIterator["DoomedMailer"]:
        """Nothing to connect to."""
        yield self

    async def send(self, mail: Mail) -> Delivery:
        """See SandboxMailer."""
        self.hazard.note("call", key=mail["key"])
        delivery = await SandboxMailer.send(self, mail)
        self.hazard.reach("after_provider")
        return delivery


def doomed_ports(hazard: Hazard) -> PortsFor:
    """The ports of a run, with those that have effects or keep their books replaced."""

    def build(settings: Settings, sessions: Sessions, caller: Caller) -> Ports:
        tenant_id = caller.tenant_id
        return replace(
            ports_for(settings, sessions, caller),
            billing=DoomedBilling(sessions, tenant_id, hazard),
            subscriptions=DoomedSubscriptions(sessions, tenant_id, hazard),
            conversations=DoomedConversations(
                sessions, tenant_id, caller.effects_of, caller.connection_id, hazard=hazard
            ),
            mailer=DoomedMailer(sessions, tenant_id, hazard),
            ledger=DoomedLedger(sessions, caller, hazard),
        )

    return build


def doomed(service: Service, hazard: Hazard) -> Service:
    """The same service, able to die at every point."""
    pool = service.saver.conn
    assert isinstance(pool, AsyncConnectionPool), "the saver works on a pool"
    commits = DoomedCommit(pool)
    saver = DoomedSaver(pool, commits)
    commits.hazard = saver.hazard = hazard
    graph = build_support_graph().compile(checkpointer=saver, name="support")
    model = DoomedModel(hazard=hazard)
    return replace(
        service,
        commits=commits,
        saver=saver,
        graph=cast("Graph", DoomedGraph(graph, hazard)),
        models=open_pool(Models(fast=model, strong=model, fallback=model)),
        ports=doomed_ports(hazard),
    )
