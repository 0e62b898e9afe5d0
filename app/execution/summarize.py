"""Refresh a ticket's running summary in the background, after its run has settled."""

import asyncio
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import set_config_context
from sqlalchemy.ext.asyncio import AsyncSession

from app.adapters.models.budget_meter import PostgresMeter
from app.db.conversations import history, summaries
from app.db.conversations.summaries import Claimed
from app.db.core.compiled import Executor
from app.db.tables.runs import Run
from app.db.tenants.queries import policy_at
from app.execution.trace import NAME, about, traced_run
from app.execution.wiring import Service
from app.log import get_logger
from app.observability.call_log import CallLog
from app.observability.usage import UsageHandler
from app.services.conversations.memory import turns_of
from graphs.conversation import Turn
from graphs.llm.gateway import open_gateway
from graphs.policy import Policy
from graphs.run.memory import CUSTOMER_CHARS, KEPT_EXCHANGES, WINDOW_EXCHANGES, cut
from graphs.run.summary import Conversation, summarize
from graphs.text.new_text.characters import without_hidden

log = get_logger(__name__)

# What one refresh reads at most; a longer backlog takes several of them.
MOST_EXCHANGES = 12


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed summary, and the messages to fold into it."""

    run: Run
    held: Claimed
    conversation: Conversation
    upto_seq: int


async def is_due(executor: Executor, run: Run) -> bool:
    """Whether the next run's window would be full, so that its oldest messages should move on."""
    return await summaries.count_unsummarized(executor, run, WINDOW_EXCHANGES) >= WINDOW_EXCHANGES


async def refresh(service: Service, run_id: UUID) -> bool:
    """Fold the oldest exchanges of the run's ticket into its summary, if it is due; idempotent.

    No connection is held while the model writes, and a claim on the row keeps others away. The
    fallback model answers when the fast one does not, so the summary only ever moves on.
    """
    async with service.sessions.begin() as session:
        work = await _take(session, run_id)
    if work is None:
        return False
    calls = CallLog(service.commits, work.run.tenant_id, run_id, work.run.attempt)
    usage = UsageHandler(service.prices, calls.note)
    try:
        text, model = await _write(service, work, usage)
    finally:
        usage.give_up()
        await calls.decided()
    tokens, cost = usage.totals()
    async with service.sessions.begin() as session:
        saved = await summaries.save(session, work.held, work.upto_seq, text, model, tokens, cost)
    log.info(
        "summary_refreshed" if saved else "summary_dropped",
        run_id=str(run_id),
        model=model,
        messages=len(work.conversation["messages"]),
        tokens=tokens,
        cost_usd=None if cost is None else float(cost),
    )
    return saved


async def _take(session: AsyncSession, run_id: UUID) -> Work | None:
    run = await history.run_by_id(session, run_id)
    if run is None:
        return None
    await history.hold_off_erasure(session, run.tenant_id, run.customer_id)
    await session.refresh(run)
    held = await summaries.claim(session, run)
    if held is None:
        return None
    exchanges = await summaries.exchanges_after(
        session, run, held.upto_seq, MOST_EXCHANGES + KEPT_EXCHANGES
    )
    if len(exchanges) < WINDOW_EXCHANGES:
        await summaries.release(session, held)
        return None
    folded = exchanges[:-KEPT_EXCHANGES]
    turns = [_turn(turn) for exchange in folded for turn in turns_of(exchange)]
    conversation: Conversation = {
        "subject": cut(without_hidden(run.ticket["subject"]), CUSTOMER_CHARS),
        "summary": held.text,
        "messages": turns,
    }
    return Work(run, held, conversation, upto_seq=folded[-1][0][0])


def _turn(turn: Turn) -> Turn:
    return {"author": turn["author"], "text": cut(turn["text"], 2 * CUSTOMER_CHARS)}


async def _write(service: Service, work: Work, usage: UsageHandler) -> tuple[str, str]:
    """The new text and the tier that wrote it; its cost counts for the tenant's day."""
    run = work.run
    async with service.sessions() as session:
        policy = Policy.model_validate(await policy_at(session, run.tenant_id, run.policy_version))
    keep = partial(service.saver.put_beside, None)
    meter = PostgresMeter(service.sessions, keep, run.tenant_id, service.prices, policy.budgets)
    gateway = open_gateway(service.models, run.tenant_id, meter)
    traced = traced_run(run, policy, about(run, policy, "summary"))
    tracers = service.tracing.callbacks(traced, usage.prices) if run.traced else []
    config: RunnableConfig = {
        "run_name": f"{NAME}.summary",
        "callbacks": [usage, *tracers],
        "metadata": {"run_id": str(run.id), "tenant_id": run.tenant_id},
    }
    # As inside the graph: the gateway takes callbacks from the context of the call.
    with set_config_context(config) as context:
        writing = asyncio.create_task(summarize(gateway, work.conversation), context=context)
    return await writing
