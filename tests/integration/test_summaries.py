"""A summary of what is older: written once, off the reply's path, whatever the model does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from sqlalchemy import AsyncAdaptedQueuePool, func, select, update

from app.db.core.connections import Sessions, make_engine
from app.db.tables.conversations import ConversationSummary
from app.db.tables.runs import Message
from app.execution import summarize
from app.execution.wiring import Service
from app.models.offline.chat_model import OfflineChatModel
from app.services.conversations import erase_customer
from graphs.context import Models
from graphs.llm.pool import open_pool
from graphs.run.memory import KEPT_EXCHANGES, SUMMARY_CHARS, WINDOW_CHARS, WINDOW_EXCHANGES
from tests.integration.shop import Shop, fill

pytestmark = pytest.mark.no_articles


async def test_overflowing_window_moves_into_the_summary(service: Service, shop: Shop) -> None:
    """The oldest exchanges are summed up once; window and summary leave no gap, and share none."""
    last = await fill(shop, WINDOW_EXCHANGES - 1)
    assert not await summarize.refresh(service, last.id)
    assert await shop.summary() is None
    last = await shop.exchange("The last one.")
    async with shop.sessions() as session:
        assert await summarize.is_due(session, last)
    assert await summarize.refresh(service, last.id)
    assert not await summarize.refresh(service, last.id)
    known = await shop.load_memory(await shop.ask("now"))
    folded = WINDOW_EXCHANGES - KEPT_EXCHANGES
    assert known["summary"] == " | ".join(f"Message {number}." for number in range(folded))
    assert len(known["window"]) == 2 * KEPT_EXCHANGES
    assert known["window"][0]["text"] == f"Message {folded}. More words."


async def test_one_refresh_at_a_time(service: Service, shop: Shop) -> None:
    """Of many at once, one writes; the summary tells each message once."""
    last = await fill(shop)
    done = await asyncio.gather(*(summarize.refresh(service, last.id) for _ in range(5)))
    assert sum(done) == 1
    written = await shop.summary()
    assert written is not None
    assert written.text.count("Message 0.") == 1
    assert written.claim is None


class Unable(OfflineChatModel):
    """A provider that is down."""

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        raise ConnectionError("no answer")


async def test_failing_model_leaves_an_extract(service: Service, shop: Shop) -> None:
    """The old summary stays, and the customer's own first sentences join it."""
    down = open_pool(Models(Unable(), Unable(), OfflineChatModel()))
    last = await fill(shop)
    async with shop.sessions.begin() as session:
        session.add(old := ConversationSummary(tenant_id=shop.tenant.id, ticket_id="T-1"))
        old.customer_id, old.text = "cus_a", "They moved house."
    assert await summarize.refresh(replace(service, models=down), last.id)
    written = await shop.summary()
    assert written is not None
    assert written.text.startswith("They moved house. | Message 0.")
    assert written.model == "fallback"


class Held(OfflineChatModel):
    """Answers once it may; meanwhile others look."""

    _asked: asyncio.Event
    _answer: asyncio.Event

    def hold(self) -> None:
        """Wait from now on."""
        self._asked, self._answer = asyncio.Event(), asyncio.Event()

    async def _agenerate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        self._asked.set()
        await self._answer.wait()
        return self._generate(messages, stop, None, **kwargs)


@pytest.fixture
async def held(service: Service, database_url: str) -> AsyncIterator[tuple[Service, Held]]:
    """A service of its own whose fast model waits."""
    model = Held()
    model.hold()
    engine = make_engine(database_url, 2)
    models = open_pool(Models(model, model, OfflineChatModel()))
    yield replace(service, models=models, sessions=Sessions(engine)), model
    await engine.dispose()


async def test_no_connection_is_held_while_the_model_writes(
    held: tuple[Service, Held], shop: Shop
) -> None:
    """The pool is whole while the model thinks."""
    service, model = held
    last = await fill(shop)
    writing = asyncio.create_task(summarize.refresh(service, last.id))
    await model._asked.wait()
    pool = service.sessions.kw["bind"].sync_engine.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    assert pool.checkedout() == 0
    model._answer.set()
    assert await writing


async def test_erasure_meets_a_summary_that_is_being_written(
    held: tuple[Service, Held], shop: Shop
) -> None:
    """What the model makes of erased messages is not stored."""
    service, model = held
    last = await fill(shop)
    writing = asyncio.create_task(summarize.refresh(service, last.id))
    await model._asked.wait()
    async with shop.sessions.begin() as session:
        await erase_customer.erase(session, shop.tenant.id, "cus_a", "test")
    model._answer.set()
    assert not await writing
    assert await shop.summary() is None
    assert not await summarize.refresh(service, last.id)
    async with shop.sessions() as session:
        rows = select(func.count()).where(ConversationSummary.tenant_id == shop.tenant.id)
        assert await session.scalar(rows) == 0


async def test_claim_of_a_dead_worker_runs_out(service: Service, shop: Shop) -> None:
    """Another worker refreshes the summary once the claim's time is over."""
    last = await fill(shop)
    async with shop.sessions.begin() as session:
        row = ConversationSummary(tenant_id=shop.tenant.id, ticket_id="T-1", customer_id="cus_a")
        row.claim, row.claimed_until = UUID(int=1), func.now() + func.make_interval(0, 0, 0, 0, 1)
        session.add(row)
    assert not await summarize.refresh(service, last.id)
    async with shop.sessions.begin() as session:
        over = {"claimed_until": func.now() - func.make_interval(0, 0, 0, 0, 1)}
        await session.execute(
            update(ConversationSummary)
            .where(ConversationSummary.tenant_id == shop.tenant.id)
            .values(**over)
        )
    assert await summarize.refresh(service, last.id)


async def test_memory_of_a_long_ticket_is_bounded(service: Service, shop: Shop) -> None:
    """However much is written: a window, a summary, and every message still in its table."""
    for number in range(3 * WINDOW_EXCHANGES):
        last = await shop.exchange(f"{number} " + "a long story without any end " * 100)
        async with shop.sessions() as session:
            due = await summarize.is_due(session, last)
        assert due == await summarize.refresh(service, last.id)
    known = await shop.load_memory(last)
    assert sum(len(turn["text"]) for turn in known["window"]) <= WINDOW_CHARS
    assert known["summary"].startswith("0 a long story")
    assert len(known["summary"]) <= SUMMARY_CHARS
    async with shop.sessions() as session:
        kept = select(func.count()).where(Message.tenant_id == shop.tenant.id)
        assert await session.scalar(kept) == 6 * WINDOW_EXCHANGES
