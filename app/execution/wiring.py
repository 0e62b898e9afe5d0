"""Settings to running parts: one engine, one saver, one compiled graph, and a context per run."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from langgraph.graph.state import CompiledStateGraph

from app.adapters.effects.attempt import ends_attempt
from app.adapters.effects.gate import PostgresGate
from app.adapters.effects.ledger import PostgresLedger
from app.adapters.models.answer_cache import PostgresAnswerCache
from app.adapters.models.budget_meter import PostgresMeter
from app.adapters.models.trained_triage import PostgresTrainedTriage, TrainedModels
from app.adapters.ports.conversations import PostgresConversations
from app.adapters.ports.embedders import build_embedder
from app.adapters.ports.knowledge import PostgresKnowledge
from app.adapters.ports.mailings import PostgresContacts, PostgresMailings
from app.adapters.ports.sandbox_billing import SandboxBilling
from app.adapters.ports.sandbox_subscriptions import SandboxSubscriptions
from app.adapters.ports.smtp import SandboxMailer, SmtpMailer
from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.http import HttpClient
from app.db.checkpoints.fence import Holder
from app.db.checkpoints.group_commit import GroupCommit
from app.db.checkpoints.saver import GroupingSaver
from app.db.core.connections import Sessions, make_engine, open_saver_pool
from app.db.effects.ledger import get_entry
from app.db.runs.beginning import Beginning, beginning_of
from app.db.runs.model_calls import spent_usd
from app.db.runs.notify import RunNotifier
from app.db.runs.queries import replayed
from app.db.tables.runs import Run
from app.db.tenants.queries import policy_at
from app.execution.payments import with_payments
from app.models.openai import build_pool
from app.observability.metrics import measured
from app.observability.prices import Prices, micro_usd
from app.observability.tool_runs import as_tool_run
from app.observability.tracing import Tracing
from app.services.connections.encryption import Vault, vault_of
from app.settings import Settings
from graphs.context import SupportContext
from graphs.llm.gateway import open_gateway
from graphs.llm.pool import ModelPool
from graphs.policy import GRANTS, Policy
from graphs.run.compatibility import graph_version
from graphs.run.replay import replay_policy
from graphs.state import SupportState
from graphs.support import build_support_graph
from tools.catalog import TOOLS
from tools.helpdesk import reply_key
from tools.ports import Caller, Ports
from tools.strategies import live, rehearse, replay
from tools.toolbox import Strategy, Toolbox, unwatched

Graph = CompiledStateGraph[SupportState, SupportContext, SupportState, SupportState]
# What the tools of one run reach; another payment provider or helpdesk comes in here.
PortsFor = Callable[[Settings, Sessions, Caller], Ports]


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that lives as long as a process."""

    settings: Settings
    sessions: Sessions
    commits: GroupCommit
    notifier: RunNotifier
    saver: GroupingSaver
    graph: Graph
    models: ModelPool
    prices: Prices
    tracing: Tracing
    ports: PortsFor
    graph_version: str
    http: HttpClient
    vault: Vault
    trained: TrainedModels = field(default_factory=TrainedModels)


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[Service]:
    """Connect; at the end close every connection and deliver the traces."""
    assert settings.database_url is not None, "the commands refuse to start without a database"
    url = settings.database_url.get_secret_value()
    prepared = settings.prepared_statements
    engine = make_engine(url, settings.pool_size, prepared=prepared)
    tracing = Tracing(settings)
    try:
        async with (
            open_saver_pool(url, settings.saver_pool_size, prepared=prepared) as pool,
            HttpClient(make_guard(settings.callback_allow)) as http,
        ):
            commits = GroupCommit(pool)
            saver = GroupingSaver(pool, commits)
            graph = build_support_graph().compile(checkpointer=saver, name="support")
            sessions = Sessions(engine, pool)
            prices = Prices(settings.model_prices)
            yield Service(
                settings,
                sessions,
                commits,
                RunNotifier(pool),
                saver,
                graph,
                build_pool(settings),
                prices,
                tracing,
                ports_for,
                graph_version(graph),
                http,
                vault_of(settings),
            )
    finally:
        await tracing.close()
        await engine.dispose()


async def context_for(service: Service, run: Run) -> tuple[SupportContext, Beginning]:
    """What one execution of a run may use, and how it begins; tenant and customer are the row's."""
    async with service.sessions.raw_connection() as connection:
        body = await policy_at(connection, run.tenant_id, run.policy_version)
        begins = await beginning_of(connection, run)
    spent, replied = 0, None
    first: tuple[UUID, ...] = ()
    if run.attempt > 1 or run.replay_of:
        async with service.sessions() as session:
            spent = micro_usd(await spent_usd(session, run.tenant_id, run.id))
            first = await replayed(session, run)
            replied = first and await get_entry(session, run.tenant_id, reply_key(first[-1]))
    policy = Policy.model_validate(body)
    if run.replay_of and not run.dry_run:
        policy = replay_policy(policy, replied=bool(replied))
    caller = caller_of(run, may_mail=begins.may_mail, replayed=first)
    ports = await ports_of_run(service, caller, connected=begins.payments)
    keep = partial(service.saver.put_beside, _holder(caller))
    budgets = policy.budgets
    meter = PostgresMeter(service.sessions, keep, run.tenant_id, service.prices, budgets, spent)
    models = open_gateway(service.models, run.tenant_id, meter)
    # A caller who may mail may ask for a mailing, so a cached answer never fits; and a replay
    # neither reads answers of other tickets nor stores any.
    seconds = 0 if begins.may_mail or first else policy.answer_cache_seconds
    answers = PostgresAnswerCache(service.sessions, run.id, run.policy_version, seconds)
    strategy = rehearse if run.dry_run else replay if first else live
    toolboxes = _toolboxes(service, caller, policy, strategy, ports)
    grounding = service.models.grounding(policy.grounding)
    own = PostgresTrainedTriage(
        service.sessions,
        service.trained,
        run.tenant_id,
        policy,
        service.models.is_configured,
        begins.trained,
    )
    return SupportContext(caller, policy, models, toolboxes, answers, grounding, own), begins


def caller_of(run: Run, *, may_mail: bool = False, replayed: tuple[UUID, ...] = ()) -> Caller:
    """On whose behalf the run acts, by its row; a ticket of a desk says whose account it is."""
    came = run.ticket.get("connection") or {}
    return Caller(
        run.tenant_id,
        run.customer_id,
        run.ticket_id,
        run.id,
        run.attempt,
        may_mail,
        replayed,
        came.get("id"),
        came.get("verified", True),
    )


async def ports_of_run(service: Service, caller: Caller, *, connected: bool = True) -> Ports:
    """What the tools of the run reach, with the payment provider that its tenant connected."""
    ports = service.ports(service.settings, service.sessions, caller)
    reached = (service.sessions, service.vault, service.http)
    return await with_payments(ports, *reached, caller, connected=connected)


def _holder(caller: Caller) -> Holder:
    return str(caller.run_id), caller.attempt


def _toolboxes(
    service: Service, caller: Caller, policy: Policy, strategy: Strategy, ports: Ports
) -> Callable[[str], Toolbox]:
    gate = PostgresGate(service.sessions, caller, policy, ports)
    durable = partial(service.saver.durable, _holder(caller))
    watch = measured(as_tool_run if service.tracing.is_on else unwatched)

    def toolbox(node: str) -> Toolbox:
        grants = GRANTS.get(node, frozenset())
        calls = (ports, caller, gate, ports.ledger, strategy)
        return Toolbox(node, grants, TOOLS, *calls, ends_attempt, durable, watch)

    return toolbox


def ports_for(settings: Settings, sessions: Sessions, caller: Caller) -> Ports:
    """What the tools of one run reach, bound to its tenant."""
    tenant_id = caller.tenant_id
    with_server = settings.smtp_host is not None
    return Ports(
        billing=SandboxBilling(sessions, tenant_id),
        subscriptions=SandboxSubscriptions(sessions, tenant_id),
        conversations=PostgresConversations(
            sessions, tenant_id, caller.effects_of, caller.connection_id
        ),
        knowledge=PostgresKnowledge(
            sessions, tenant_id, build_embedder(settings), settings.context_token_budget
        ),
        contacts=PostgresContacts(sessions, tenant_id),
        mailings=PostgresMailings(sessions, caller, settings.smtp_retry_seconds),
        mailer=SmtpMailer(settings) if with_server else SandboxMailer(sessions, tenant_id),
        ledger=PostgresLedger(sessions, caller),
    )
