"""The order of a question at the gateway: budget, circuit, slot, call, repair, fallback."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import BaseModel, ConfigDict

from app.models.offline.chat_model import OfflineChatModel
from graphs.context import Models, Question
from graphs.llm.ask import RETRY, is_retryable
from graphs.llm.circuit_breaker import Circuit
from graphs.llm.errors import (
    BudgetSpentError,
    ModelBusyError,
    ModelError,
    ModelOutputError,
    ModelRefusedError,
    ModelUnavailableError,
)
from graphs.llm.gateway import GuardedModels, open_gateway
from graphs.llm.pool import open_pool
from tests.fakes import FakeMeter, ScriptedModel
from tests.unit.desk import E42, desk


class Word(BaseModel):
    """A one-word answer."""

    model_config = ConfigDict(extra="forbid")

    word: str


YES = Word(word="yes")
DOWN = ModelUnavailableError("503")
REFUSED = ModelRefusedError("401", for_all=True)


def model(*lines: Any) -> ScriptedModel:
    """A model that answers so, the last line again and again."""
    return ScriptedModel(script={"Word": list(lines)})


def open_toolbox(
    fast: BaseChatModel,
    strong: BaseChatModel,
    spare: BaseChatModel | None = None,
    second: BaseChatModel | None = None,
    meter: FakeMeter | None = None,
    **limits: Any,
) -> GuardedModels:
    """A gateway to these models."""
    models = Models(fast, strong, spare or model(YES), second)
    pool = open_pool(models, lambda _model: Circuit(limit=3, pause_seconds=60), **limits)
    return open_gateway(pool, "acme", meter or FakeMeter())


async def until(holds: Callable[[], bool]) -> None:
    """Let the others work until it holds."""
    while not holds():  # noqa: ASYNC110  # no one tells when
        await asyncio.sleep(0)


async def ask(opened: GuardedModels, role: Any = "strong", *, last_try: bool = False) -> Any:
    """The tier that answered."""
    question = Question(Word, [SystemMessage("Say."), HumanMessage("{}"), HumanMessage("{}")], 5.0)
    return (await opened.answer(role, question, last_try=last_try)).tier


async def test_over_budget_means_the_cheaper_tier_then_a_person() -> None:
    """The strong model is not asked without money, and no model is when there is none at all."""
    fast, strong = model(YES), model(YES)

    class OnlyFast(FakeMeter):
        async def hold(self, name: str, characters: int) -> Any:
            self.asked.append(name)
            return None if len(self.asked) == 1 else await super().hold(name, characters)

    assert await ask(open_toolbox(fast, strong, meter=OnlyFast())) == "fast"
    assert (len(fast.heard), len(strong.heard)) == (1, 0)
    with pytest.raises(BudgetSpentError):
        await ask(open_toolbox(fast, strong, meter=FakeMeter(left=0)))
    assert (len(fast.heard), len(strong.heard)) == (1, 0)
    assert not is_retryable(BudgetSpentError())


async def test_no_hold_is_left_however_a_call_ends() -> None:
    """Answered, failed, refused, broken, cancelled: what was set aside is given back."""
    meter = FakeMeter()
    for line in (YES, DOWN, REFUSED, "no JSON", LookupError("a bug")):
        opened = open_toolbox(model(line), model(line), meter=meter)
        await asyncio.gather(ask(opened), return_exceptions=True)
        assert meter.held == 0
    hanging = asyncio.create_task(ask(open_toolbox(Hanging(), Hanging(), meter=meter)))
    await until(lambda: bool(meter.held))
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    assert meter.held == 0


async def test_broken_answer_is_repaired_once_then_another_model_is_asked() -> None:
    """The second question tells what was wrong; a second broken answer ends it."""
    strong = model("no JSON", YES)
    assert await ask(open_toolbox(model(YES), strong)) == "strong"
    first, second = [heard for _, heard in strong.heard]
    assert "problems" not in first
    assert "Invalid JSON" in second
    stubborn = model("no JSON")
    assert await ask(open_toolbox(model(YES), stubborn)) == "fallback"
    assert len(stubborn.heard) == 2
    with pytest.raises(ModelOutputError):
        await ask(open_toolbox(stubborn, stubborn, spare=model("no JSON")))
    assert not is_retryable(ModelOutputError())


async def test_failed_call_heals_and_a_refused_one_goes_to_the_fallback_at_once() -> None:
    """An outage is left to the node's retries; a wrong key is not tried again."""
    strong = model(DOWN)
    with pytest.raises(ModelUnavailableError):
        await ask(open_toolbox(model(YES), strong))
    assert len(strong.heard) == 1
    refused = model(REFUSED)
    assert await ask(open_toolbox(model(YES), refused)) == "fallback"
    assert len(refused.heard) == 1


async def test_last_try_asks_the_second_provider_and_then_the_model_here() -> None:
    """The role's own model is left alone, and who answers for it is asked in their order."""
    strong, second, spare = model(YES), model(DOWN), model(YES)
    assert await ask(open_toolbox(model(YES), strong, spare, second), last_try=True) == "fallback"
    assert [len(m.heard) for m in (strong, second, spare)] == [0, 1, 1]


async def test_open_circuit_asks_the_fallback_without_a_call() -> None:
    """After three failures in a row not one more call is made, by any run of the process."""
    strong = model(DOWN)
    pool = open_toolbox(model(YES), strong).pool
    for _ in range(2):
        with pytest.raises(ModelUnavailableError):
            await ask(open_gateway(pool, "acme", FakeMeter()))
    assert await ask(open_gateway(pool, "acme", FakeMeter())) == "fallback"
    asked = [ask(open_gateway(pool, f"tenant-{n}", FakeMeter())) for n in range(20)]
    assert await asyncio.gather(*asked) == ["fallback"] * 20
    assert len(strong.heard) == 3


async def test_retry_after_within_bounds_is_waited_for_and_beyond_them_is_not() -> None:
    """A short wish is honoured before the next call, a long one brings the fallback at once."""
    loop = asyncio.get_running_loop()
    strong = model(ModelUnavailableError("429", 0.2), YES)
    opened = open_toolbox(model(YES), strong)
    with pytest.raises(ModelUnavailableError):
        await ask(opened)
    began = loop.time()
    assert await ask(opened) == "strong"
    assert loop.time() - began >= 0.15
    strong = model(ModelUnavailableError("429", 60.0), YES)
    opened = open_toolbox(model(YES), strong)
    assert [await ask(opened) for _ in range(3)] == ["fallback"] * 3
    assert len(strong.heard) == 1


class Hanging(OfflineChatModel):
    """Answers when `go` is set, in the order in which it was asked; `most` were open at once."""

    go: Any = None
    open_now: int = 0
    most: int = 0

    def with_structured_output(self, schema: Any, **_kwargs: Any) -> Runnable[Any, Any]:
        async def wait(_messages: Any) -> Any:
            self.open_now += 1
            self.most = max(self.most, self.open_now)
            try:
                await (self.go or asyncio.Event()).wait()
            finally:
                self.open_now -= 1
            return {"raw": None, "parsed": YES, "parsing_error": None}

        return RunnableLambda(wait)


async def test_share_of_a_tenant_is_a_bound_and_first_come_first_served() -> None:
    """Two at once, the next in their order; another tenant's share is its own."""
    hanging = Hanging(go=asyncio.Event())
    pool = open_toolbox(hanging, hanging, calls_per_tenant=2).pool
    done: list[int] = []

    async def one(number: int) -> None:
        await ask(open_gateway(pool, "acme", FakeMeter()))
        done.append(number)

    asked = [asyncio.create_task(one(number)) for number in range(6)]
    await until(lambda: hanging.open_now == 2)
    other = asyncio.create_task(ask(open_gateway(pool, "other", FakeMeter())))
    await until(lambda: hanging.open_now == 3)
    hanging.go.set()
    await asyncio.gather(*asked, other)
    assert (hanging.most, done) == (3, sorted(done))


async def test_no_free_call_in_time_sends_the_run_back_to_the_queue() -> None:
    """A busy tenant's run waits; neither the fallback nor a person answers for that."""
    hanging = Hanging(go=asyncio.Event())
    spare = model(YES)
    pool = open_toolbox(hanging, hanging, spare, calls_per_tenant=1, wait_seconds=0.05).pool
    first = asyncio.create_task(ask(open_gateway(pool, "acme", FakeMeter())))
    await until(lambda: bool(hanging.open_now))
    with pytest.raises(ModelBusyError):
        await ask(open_gateway(pool, "acme", FakeMeter()))
    hanging.go.set()
    await first
    assert spare.heard == []
    assert not is_retryable(ModelBusyError())


async def test_busy_tenant_leaves_the_run_where_it_stood() -> None:
    """The graph stops without a hand-off or a reply, and goes on from there later."""
    opened = desk("cus_eva", "upload-error-e42")
    hanging = Hanging(go=asyncio.Event())
    opened.world.models = Models(hanging, hanging, OfflineChatModel())
    opened.world.limits = {"calls_per_tenant": 1, "wait_seconds": 0.05}
    slots = opened.world.pool.slots("acme")
    async with slots:
        with pytest.raises(ModelBusyError):
            await opened.start(E42)
    assert opened.world.conversations.keys == []
    opened.world.models = Models(*[OfflineChatModel()] * 3)
    done = await opened.advance(None)
    assert done["outcome"] == "answered"


LINES = st.lists(
    st.sampled_from(
        [None, DOWN, REFUSED, ModelRefusedError("400", for_all=False), "no JSON", OSError("reset"),
         ModelUnavailableError("429", 99.0), LookupError("a bug")]
    ),
    max_size=12,
)  # fmt: skip


class Troubled(ScriptedModel):
    """Each call fails as the list says; when it is used up, it answers as offline does."""

    troubles: list[Any]

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        trouble = self.troubles.pop(0) if self.troubles else None
        self.script = {kwargs["question"]: [trouble]} if trouble is not None else {}
        # Also a question with `problems` behind it is answered from facts and ticket.
        return super()._generate(messages[:3], *args, **kwargs)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(troubles=LINES, left=st.none() | st.integers(0, 4))
async def test_whatever_fails_the_run_ends_and_its_calls_are_bounded(
    troubles: list[Any], left: int | None
) -> None:
    """Answered or with a person, one reply, and no question costs more than two calls a try."""
    opened = desk("cus_eva", "upload-error-e42")
    for node in opened.builder.nodes.values():
        if node.retry_policy:
            # The pauses between tries are LangGraph's, and not what is tested here.
            node.retry_policy = RETRY._replace(initial_interval=0.0, jitter=False)
    opened.compile()
    troubled = Troubled(troubles=list(troubles))
    opened.world.models = Models(troubled, troubled, OfflineChatModel())
    opened.world.meter = FakeMeter(left)
    done = await opened.start(E42)
    assert done["outcome"] in {"answered", "escalated"}
    assert len(opened.world.conversations.replies) == 1
    questions = 1 + done["drafts"]
    assert len(troubled.heard) <= 4 * max(questions, 2)
    assert opened.world.meter.held == 0
    if not troubles and left is None:
        assert done["outcome"] == "answered"


@pytest.mark.parametrize("last_try", [False, True])
@pytest.mark.parametrize("line", [DOWN, REFUSED, "no word"])
async def test_nothing_answers_for_the_verifier(line: object, *, last_try: bool) -> None:
    """A verdict by another model would be none: the failure is the answer."""
    drafter, spare, second = model(YES), model(YES), model(YES)
    verifier = model(line)
    models = Models(drafter, drafter, spare, second, verifier)
    opened = open_gateway(open_pool(models), "acme", FakeMeter())
    with pytest.raises(ModelError):
        await ask(opened, "verify", last_try=last_try)
    assert verifier.asked
    assert (drafter.asked, spare.asked, second.asked) == ([], [], [])


async def test_fast_model_verifies_when_there_is_no_other() -> None:
    """Its answer says which model it was."""
    fast = model(YES)
    assert await ask(open_toolbox(fast, model(YES)), "verify") == "verify"
    assert fast.asked


@pytest.mark.parametrize(
    ("wanted", "with_model", "without"),
    [(None, "verified", "quotes"), ("verified", "verified", "quotes"),
     ("quotes", "quotes", "quotes")],
)  # fmt: skip
def test_grounding_needs_a_model_to_verify(wanted: Any, with_model: str, without: str) -> None:
    """What the tenant wants, as far as there is a model."""
    offline = OfflineChatModel()
    assert open_pool(Models(model(YES), model(YES), offline)).grounding(wanted) == with_model
    assert open_pool(Models(offline, offline, offline)).grounding(wanted) == without


async def test_answer_names_its_model_and_whether_it_is_local() -> None:
    """So that a plan can say who proposed it."""
    offline = ScriptedModel(script={"Word": [YES]}, model_name="offline")
    far = ScriptedModel(script={"Word": [YES]}, model_name="far")
    opened = open_gateway(open_pool(Models(far, far, offline)), "acme", FakeMeter())
    question = Question(Word, [SystemMessage("Say."), HumanMessage("{}"), HumanMessage("{}")], 5.0)
    for last_try, known in ((False, ("far", False)), (True, ("offline", True))):
        answer = await opened.answer("fast", question, last_try=last_try)
        assert (answer.model, answer.local) == known


async def test_calls_of_one_run_wait_for_each_other_and_not_for_the_tenant() -> None:
    """Twenty claims at two calls a tenant take their turns; the tenant is not busy."""
    open_now = most = 0

    class Counted(ScriptedModel):
        async def _agenerate(self, *args: Any, **kwargs: Any) -> Any:
            nonlocal open_now, most
            open_now += 1
            most = max(most, open_now)
            await asyncio.sleep(0.02)
            open_now -= 1
            return await super()._agenerate(*args, **kwargs)

    slow = Counted(script={"Word": [YES]})
    opened = open_toolbox(slow, slow, calls_per_tenant=2, wait_seconds=0.1)
    assert await asyncio.gather(*(ask(opened, "verify") for _ in range(20))) == ["verify"] * 20
    assert most == 1
