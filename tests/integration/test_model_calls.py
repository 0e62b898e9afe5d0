"""Each call of a model is a row as soon as it ends, whatever becomes of the attempt."""

import asyncio
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from sqlalchemy import select

from app.api.views.runs import show_step
from app.db.runs import workers
from app.db.runs.model_calls import spent_usd
from app.db.runs.queue import enqueue_run
from app.db.runs.transitions import Ending
from app.db.tables.figures import ModelCall
from app.db.tables.runs import Run, Step
from app.execution import finish
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from app.observability.call_log import CallLog
from app.observability.prices import Prices, Tokens
from app.observability.step_log import StepLog
from app.observability.usage import UsageHandler
from tests.conftest import Tenant
from tests.integration.claims import claim_one
from tests.integration.workplace import Workplace

pytestmark = pytest.mark.no_articles

WORKER = 771
NODE = {
    "langgraph_node": "billing",
    "langgraph_checkpoint_ns": "billing:task-1",
    "ls_model_name": "gpt-5-mini",
    "prompt_version": "0123456789ab",
    "model_call": {"role": "strong", "tier": "fallback", "fallback": True, "reason": "timeout"},
}
COST = Prices().cost_usd("gpt-5-mini", Tokens(1000, 200, 100))
ANSWER = LLMResult(
    generations=[
        [
            ChatGeneration(
                message=AIMessage(
                    "",
                    response_metadata={"model_name": "gpt-5-mini"},
                    usage_metadata={
                        "input_tokens": 1000,
                        "output_tokens": 100,
                        "total_tokens": 1100,
                        "input_token_details": {"cache_read": 200},
                    },
                )
            )
        ]
    ]
)


@pytest.fixture
def place(service: Service, tenant: Tenant) -> Workplace:
    """A tenant whose runs a test advances."""
    return Workplace(service, tenant)


class Attempt:
    """One execution of a claimed run, as far as its records go."""

    def __init__(self, service: Service, run: Run) -> None:
        self.calls = CallLog(service.commits, run.tenant_id, run.id, run.attempt)
        self.usage = UsageHandler(service.prices, self.calls.note)
        self.steps = StepLog(service.commits, run.tenant_id, run.id, run.attempt, self.usage)

    async def begin(self) -> None:
        """The node `billing` begins."""
        task = {"id": "task-1", "name": "billing", "input": {}, "triggers": []}
        self.steps.note("tasks", task)
        await self.steps.flush(ended=False)

    async def ask(self, answer: LLMResult | BaseException | None = ANSWER) -> UUID:
        """It asks a model; None: no answer has come yet."""
        call = uuid4()
        await self.usage.on_chat_model_start({}, [], run_id=call, metadata=NODE)
        if isinstance(answer, BaseException):
            await self.usage.on_llm_error(answer, run_id=call)
        elif answer:
            await self.usage.on_llm_end(answer, run_id=call)
        return call


async def claimed(place: Workplace) -> Run:
    """A run that the worker holds."""
    run = await place.start()
    async with place.service.sessions.begin() as session:
        held = await claim_one(session, run.id, WORKER)
    assert held is not None
    return held


async def calls_of(place: Workplace, run: Run) -> list[ModelCall]:
    """The run's rows."""
    async with place.service.sessions() as session:
        query = select(ModelCall).where(ModelCall.run_id == run.id).order_by(ModelCall.started_at)
        return list(await session.scalars(query))


async def test_killed_attempt_loses_no_spend(place: Workplace) -> None:
    """Its call is written while the step still runs; the run, its step and its budget count it."""
    run = await claimed(place)
    attempt = Attempt(place.service, run)
    await attempt.begin()
    call = await attempt.ask()
    # No writer waits for it: it goes with the next group of commits.
    await asyncio.wait_for(asyncio.gather(*attempt.calls.unwritten), 10)
    rows = await calls_of(place, run)
    assert [(row.id, row.cost_usd) for row in rows] == [(call, COST)]
    async with place.service.sessions.begin() as session:
        held = await workers.lock_held(session, WORKER, 10, [run.id])
        await workers.hand_back(session, held)
    back = await place.run(run.id)
    assert (back.status, back.tokens, back.cost_usd) == (RunStatus.PENDING, 1100, COST)
    [step] = await place.steps(run)
    assert (step.status, step.tokens, step.cost_usd) == ("error", 1100, COST)
    async with place.service.sessions() as session:
        assert await spent_usd(session, run.tenant_id, run.id) == COST


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.ERROR])
async def test_end_without_an_answer_counts_what_was_spent(
    place: Workplace, status: RunStatus
) -> None:
    """A cancel, and a fault of our own, know nothing of what the attempt used."""
    run = await claimed(place)
    attempt = Attempt(place.service, run)
    await attempt.begin()
    await attempt.ask()
    await attempt.ask(None)
    attempt.usage.give_up()
    await attempt.calls.decided()
    async with place.service.sessions.begin() as session:
        assert await finish.settle(session, enqueue_run, run, Ending(status))
    ended = await place.run(run.id)
    assert (ended.tokens, ended.cost_usd) == (1100, COST)
    assert [row.error for row in await calls_of(place, run)] == [None, "GivenUp"]


async def test_attempt_that_lost_its_run_still_pays(place: Workplace) -> None:
    """Its steps are refused; what it asked meanwhile was paid for, and the next end counts it."""
    run = await claimed(place)
    late = Attempt(place.service, run)
    async with place.service.sessions.begin() as session:
        held = await workers.lock_held(session, WORKER, 10, [run.id])
        await workers.hand_back(session, held)
    await late.ask()
    await late.calls.flush()
    async with place.service.sessions.begin() as session:
        again = await claim_one(session, run.id, WORKER)
    assert again is not None
    now = Attempt(place.service, again)
    await now.ask()
    await now.calls.flush()
    tokens, cost = now.usage.totals()
    ending = Ending(RunStatus.SUCCESS, outcome="answered", tokens=tokens, cost_usd=cost)
    async with place.service.sessions.begin() as session:
        assert await finish.settle(session, enqueue_run, again, ending)
    done = await place.run(run.id)
    assert COST is not None
    assert (done.tokens, done.cost_usd) == (2200, COST * 2)


async def test_unknown_price_leaves_the_run_unknown(place: Workplace) -> None:
    """Also where the rows are summed up."""
    run = await claimed(place)
    attempt = Attempt(place.service, run)
    await attempt.ask()
    message = AIMessage("", response_metadata={"model_name": "mystery-1"})
    await attempt.ask(LLMResult(generations=[[ChatGeneration(message=message)]]))
    await attempt.calls.flush()
    async with place.service.sessions.begin() as session:
        held = await workers.lock_held(session, WORKER, 10, [run.id])
        await workers.hand_back(session, held)
    assert (await place.run(run.id)).cost_usd is None


async def test_step_shows_its_calls_as_before(place: Workplace) -> None:
    """With the gateway's notes; a failed one has neither tokens nor a cost."""
    run = await claimed(place)
    attempt = Attempt(place.service, run)
    await attempt.begin()
    await attempt.ask()
    await attempt.ask(TimeoutError())
    attempt.steps.note("tasks", {"id": "task-1", "result": {}, "interrupts": [], "error": None})
    await asyncio.gather(attempt.steps.flush(ended=True), attempt.calls.flush())
    [step] = await place.steps(run)
    shown: list[dict[str, Any]] = show_step(step).model_dump(mode="json", exclude_unset=True)[
        "model_calls"
    ]
    notes = {"role": "strong", "tier": "fallback", "fallback": True, "reason": "timeout"}
    assert COST is not None
    assert shown == [
        {
            "model": "gpt-5-mini",
            **notes,
            "input_tokens": 1000,
            "cached_tokens": 200,
            "output_tokens": 100,
            "cost_usd": float(COST),
        },
        {"model": "gpt-5-mini", **notes, "error": "TimeoutError"},
    ]
    [first, _] = await calls_of(place, run)
    assert (first.prompt_version, first.node, first.number) == ("0123456789ab", "billing", 1)


async def test_failed_step_names_the_line_of_ours(place: Workplace) -> None:
    """The innermost one that the exception passed."""
    run = await claimed(place)
    attempt = Attempt(place.service, run)
    await attempt.begin()

    try:
        Prices().cost_usd("gpt-5", None)  # type: ignore[arg-type]
    except AttributeError as error:
        failed: dict[str, Any] = {
            "id": "task-1",
            "name": "billing",
            "result": None,
            "interrupts": [],
        }
        attempt.steps.note("tasks", {**failed, "error": error})
    await attempt.steps.flush(ended=True)
    async with place.service.sessions() as session:
        [step] = await session.scalars(select(Step).where(Step.run_id == run.id))
    assert step.error is not None
    assert step.error["type"] == "AttributeError"
    assert re.fullmatch(r"app/observability/prices\.py:\d+", step.error["place"])
