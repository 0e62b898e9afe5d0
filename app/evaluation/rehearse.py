"""One ticket through the real graph in rehearsal: nothing is written, sent or moved."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from uuid_utils.compat import uuid7

from app.db.tables.runs import Run
from app.evaluation.dataset import Case
from app.execution.graph_input import run_ticket
from app.execution.wiring import Graph, Service, context_for
from app.log.error_text import describe
from app.observability.usage import UsageHandler
from graphs.conversation import Memory
from graphs.run.memory import window
from graphs.run.replay import rehearsed_decision
from graphs.state import Plan, SupportState, fresh_run
from graphs.support import build_support_graph

MAX_STEPS = 60
# A rehearsed gate is passed by code; a run that comes back to gates without end has a fault.
MAX_GATES = 10


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """Where a run ended; `gates` is what a person would have been shown before."""

    state: SupportState
    gates: list[Plan] = field(default_factory=list)
    failure: str | None = None
    seconds: float = 0.0
    tokens: int = 0
    cost_usd: Decimal | None = Decimal(0)


async def rehearse_all(
    service: Service,
    tenant_id: str,
    cases: Sequence[Case],
    at_once: int,
    done: Callable[[], object] = lambda: None,
) -> list[Rehearsed]:
    """Every ticket as if it were the first of its customer; `done` is called after each."""
    graph = build_support_graph().compile(checkpointer=InMemorySaver(), name="support")
    turns = asyncio.Semaphore(at_once)

    async def one(case: Case) -> Rehearsed:
        async with turns:
            ended = await rehearse(service, graph, tenant_id, case)
            done()
            return ended

    return await asyncio.gather(*map(one, cases))


async def rehearse(service: Service, graph: Graph, tenant_id: str, case: Case) -> Rehearsed:
    """One ticket; whatever its run raises is its result."""
    began, usage = time.perf_counter(), UsageHandler(service.prices)
    run = _run(tenant_id, case)
    state: dict[str, Any] = {}
    gates: list[Plan] = []
    failure = None
    try:
        state, gates = await _advance(service, graph, run, case, usage)
    except Exception as error:  # noqa: BLE001  # a ticket that breaks a run is a finding
        failure = describe(error)
    finally:
        await cast("InMemorySaver", graph.checkpointer).adelete_thread(str(run.thread_id))
    seconds, (tokens, cost) = time.perf_counter() - began, usage.totals()
    return Rehearsed(cast("SupportState", state), gates, failure, seconds, tokens, cost)


async def _advance(
    service: Service, graph: Graph, run: Run, case: Case, usage: UsageHandler
) -> tuple[dict[str, Any], list[Plan]]:
    context = await context_for(service, run)
    config: Any = {
        "recursion_limit": MAX_STEPS,
        "configurable": {"thread_id": str(run.thread_id)},
        "callbacks": [usage],
    }
    following: Any = fresh_run(str(run.id), run_ticket(run), _memory(case))
    gates: list[Plan] = []
    while True:
        state = await graph.ainvoke(following, config, context=context, durability="exit")
        asked = state.pop("__interrupt__", None)
        if not asked or len(gates) == MAX_GATES:
            return state, gates
        [gate] = asked
        gates.append(gate.value)
        following = Command(resume={gate.id: rehearsed_decision(gate.value)})


def _run(tenant_id: str, case: Case) -> Run:
    """The row of a dry run, which is never stored."""
    return Run(
        id=uuid7(),
        thread_id=uuid7(),
        tenant_id=tenant_id,
        ticket_id=case.id,
        customer_id=case.ticket.customer.id,
        ticket=case.ticket.as_sent(case.id),
        policy_version=1,
        attempt=1,
        dry_run=True,
    )


def _memory(case: Case) -> Memory:
    said = [{"author": turn.author, "text": turn.text} for turn in case.ticket.history]
    return {"window": window(cast("Any", said)), "summary": "", "tickets": []}
