"""The answer cache in Postgres: who is answered from it, and what makes it forget."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update

from app.adapters.models.answer_cache import PostgresAnswerCache
from app.db.conversations.erasure import STATEMENTS
from app.db.core.connections import SaverPool, Sessions, SteadyPool
from app.db.knowledge.answer_cache import prune_answers
from app.db.knowledge.articles import delete_article, put_article
from app.db.runs.queries import get_run
from app.db.runs.queue import enqueue_run
from app.db.runs.transitions import Ending
from app.db.tables.knowledge import Article, CachedAnswerRow
from app.db.tables.tenants import Tenant as TenantRow
from app.execution.finish import finish
from app.lifecycle import RunStatus
from graphs.findings import finding
from graphs.state import Claim, SupportState, Ticket, Triage, fresh_run
from tests.acceptance.stack import free_port
from tests.conftest import Tenant, make_tenant
from tests.integration.conftest import Begin
from tests.unit.desk import E42, ticket
from tools.models import Passage
from tools.ports import Caller

pytestmark = pytest.mark.no_articles

Ask = Callable[..., Awaitable[tuple[SupportState, bool]]]
REPLY = "Hello Ann,\n\nFiles above 2 GB fail with E42."

CLAIM: Claim = {
    "question": "q1",
    "text": "Files above 2 GB fail.",
    "evidence": [{"kind": "article", "id": "e42", "quote": "Files above 2 GB fail."}],
}


def ended(run_id: UUID, asked: Ticket, kb_version: int | None) -> SupportState:
    """The state of a run that an article answered."""
    triage: Triage = {
        "intents": ["technical"], "parts": {}, "urgency": "normal", "anger": 0.0,
        "language": "en", "wants_human": False, "confidence": 0.9,
    }  # fmt: skip
    passage: Passage = {
        "article_id": "e42",
        "title": "E42",
        "text": "Files above 2 GB fail.",
        "score": 1.0,
    }
    state: SupportState = {
        "kb_version": kb_version,
        "triage": triage,
        "findings": {"technical": finding(passages=[passage])},
        "draft": {
            "text": REPLY,
            "citations": ["e42"],
            "claims": [CLAIM],
            "grounding": "quotes",
        },
        "outcome": "answered",
    }
    begun: Any = fresh_run(str(run_id), asked)
    begun.update(state)
    return begun  # type: ignore[no-any-return]  # every key that `fresh_run` sets, and these


async def settle(sessions: Sessions, by: Caller, state: SupportState) -> None:
    """End the run, which leaves its answer in the cache."""
    async with sessions() as session:
        run = await get_run(session, by.tenant_id, by.run_id)
    assert run is not None
    ending = Ending(RunStatus.SUCCESS, outcome="answered", reusable=state)
    assert await finish(sessions, enqueue_run, run, ending)


@pytest.fixture
def ask(sessions: Sessions, begin: Begin) -> Ask:
    """One customer's question to its end: the state, and whether the cache answered it."""
    tickets = iter(range(1000))

    async def asked(
        customer: str,
        body: str = E42,
        language: str | None = None,
        seconds: int = 3600,
        by: Caller | None = None,
        **values: Any,
    ) -> tuple[SupportState, bool]:
        by = by or await begin(customer, f"T-{next(tickets)}", **values)
        version = values.get("policy_version", 0)
        cache = PostgresAnswerCache(sessions, by.run_id, version, seconds)
        question: Ticket = {**ticket(body, name="Ann"), "language": language}
        recalled = await cache.recall(question)
        state = ended(by.run_id, question, recalled.kb_version)
        if recalled.answer is None:
            await settle(sessions, by, state)
        return state, recalled.answer is not None

    return asked


async def hit(asked: Awaitable[tuple[SupportState, bool]]) -> bool:
    """Whether the cache answered."""
    return (await asked)[1]


async def test_third_asking_is_answered(ask: Ask) -> None:
    """Two are answered by the graph, all that follow from the cache, however they type it."""
    assert not await hit(ask("cus_ann"))
    assert not await hit(ask("cus_bob", E42.upper()))
    assert await hit(ask("cus_max", f"  {E42}!"))
    assert await hit(ask("cus_ann"))


async def test_one_customer_alone_plants_nothing(ask: Ask) -> None:
    """However often one customer asks, no other customer is answered with what they read."""
    for _ in range(4):
        assert not await hit(ask("cus_ann"))
    assert not await hit(ask("cus_bob"))
    assert await hit(ask("cus_max"))


async def test_no_text_is_kept_for_one_customer(
    ask: Ask, sessions: Sessions, tenant: Tenant
) -> None:
    """Neither when they ask again, nor when they are the first after the lifetime."""
    mine = CachedAnswerRow.tenant_id == tenant.id

    async def kept() -> tuple[int, bool]:
        async with sessions() as session:
            [row] = await session.scalars(select(CachedAnswerRow).where(mine))
        return len(row.customers), bool(row.answer)

    await ask("cus_ann")
    await ask("cus_ann")
    assert await kept() == (1, False)
    await ask("cus_bob")
    assert await kept() == (2, True)
    async with sessions.begin() as session:
        past = func.now() - timedelta(seconds=1)
        await session.execute(update(CachedAnswerRow).where(mine).values(expires_at=past))
    await ask("cus_max")
    assert await kept() == (1, False)


async def test_newest_reply_is_the_one_given(ask: Ask, sessions: Sessions, tenant: Tenant) -> None:
    """One row a question, with both who asked; it names no customer, and the first only that."""
    mine = select(CachedAnswerRow).where(CachedAnswerRow.tenant_id == tenant.id)
    await ask("cus_ann")
    async with sessions() as session:
        [row] = await session.scalars(mine)
    assert (len(row.customers), row.answer) == (1, {})
    await ask("cus_bob")
    async with sessions() as session:
        [row] = await session.scalars(mine)
    assert len(row.customers) == 2
    assert "Ann" not in row.answer["text"]
    assert row.answer["citations"] == ["e42"]


async def test_any_change_of_the_articles_forgets(
    ask: Ask, sessions: Sessions, tenant: Tenant
) -> None:
    """An edit, and a deletion, make the next asking the first one."""

    async def edit() -> None:
        async with sessions.begin() as session:
            await put_article(session, tenant.id, "e42", "E42", "Files above 3 GB fail.", "en")

    async def remove() -> None:
        async with sessions.begin() as session:
            await delete_article(session, tenant.id, "e42")

    for change in (edit, remove):
        await ask("cus_ann")
        await ask("cus_bob")
        assert await hit(ask("cus_max"))
        await change()
        assert not await hit(ask("cus_max"))


async def test_article_stored_as_it_is_forgets_nothing(
    ask: Ask, sessions: Sessions, tenant: Tenant
) -> None:
    """The same words again: the same version, and what was kept is still given."""

    async def put() -> Article:
        async with sessions.begin() as session:
            return await put_article(session, tenant.id, "e42", "E42", "Above 2 GB.", "en")

    old = await put()
    await ask("cus_ann")
    await ask("cus_bob")
    again = await put()
    assert (again.version, again.updated_at) == (old.version, old.updated_at)
    assert await hit(ask("cus_max"))


async def test_answer_from_articles_that_changed_meanwhile_is_not_reused(
    ask: Ask, sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """A run that searched before an edit and ended after it leaves nothing to be found."""
    await ask("cus_ann")
    by = await begin("cus_bob", "T-late")
    before = await PostgresAnswerCache(sessions, by.run_id, 0, 60).recall(ticket(E42))
    async with sessions.begin() as session:
        await put_article(session, tenant.id, "e42", "E42", "Files above 3 GB fail.", "en")
    await settle(sessions, by, ended(by.run_id, ticket(E42, name="Ann"), before.kb_version))
    assert not await hit(ask("cus_max"))


async def test_lost_attempt_leaves_no_answer(
    ask: Ask, sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """Another worker has the run: neither its row nor the cache is changed."""
    await ask("cus_ann")
    by = await begin("cus_bob", "T-lost", attempt=2)
    state = ended(by.run_id, ticket(E42, name="Ann"), 0)
    async with sessions() as session:
        run = await get_run(session, by.tenant_id, by.run_id)
    assert run is not None
    run.attempt = 1
    ending = Ending(RunStatus.SUCCESS, outcome="answered", reusable=state)
    assert not await finish(sessions, enqueue_run, run, ending)
    async with sessions() as session:
        asked = select(func.max(func.cardinality(CachedAnswerRow.customers)))
        mine = asked.where(CachedAnswerRow.tenant_id == tenant.id)
        assert await session.scalar(mine) == 1


@pytest.mark.parametrize("change", [{"policy_version": 7}, {"language": "de"}, {"body": "E43?"}])
async def test_another_policy_language_or_question_is_another_row(
    ask: Ask, change: dict[str, Any]
) -> None:
    """Whatever the answer depends on is in its key."""
    await ask("cus_ann")
    await ask("cus_bob")
    assert not await hit(ask("cus_max", **change))
    assert await hit(ask("cus_max"))


async def test_tenants_are_apart(ask: Ask, sessions: Sessions, tenant: Tenant) -> None:
    """What two customers of one company were answered is nothing to another company."""
    await ask("cus_ann")
    await ask("cus_bob")
    async with sessions.begin() as session:
        other = await make_tenant(session, articles=False)
    async with sessions.begin() as session:
        await session.execute(
            update(CachedAnswerRow)
            .where(CachedAnswerRow.tenant_id == tenant.id)
            .values(tenant_id=other.id)
        )
    assert not await hit(ask("cus_max"))


async def test_expired_answer_is_a_miss_and_is_swept(
    ask: Ask, sessions: Sessions, tenant: Tenant
) -> None:
    """After its lifetime the counting starts again, whether the row was swept or not."""

    async def age() -> None:
        async with sessions.begin() as session:
            past = func.now() - timedelta(seconds=1)
            mine = update(CachedAnswerRow).where(CachedAnswerRow.tenant_id == tenant.id)
            await session.execute(mine.values(expires_at=past))

    await ask("cus_ann")
    await ask("cus_bob")
    await age()
    assert not await hit(ask("cus_max"))
    assert not await hit(ask("cus_max"))
    assert not await hit(ask("cus_bob"))
    assert await hit(ask("cus_max"))
    await age()
    async with sessions.begin() as session:
        await prune_answers(session, 1000)
    async with sessions() as session:
        left = (
            select(func.count())
            .select_from(CachedAnswerRow)
            .where(CachedAnswerRow.tenant_id == tenant.id)
        )
        assert await session.scalar(left) == 0


async def test_later_message_of_a_ticket_takes_no_part(ask: Ask, begin: Begin) -> None:
    """Only the first message is a question on its own: it neither gives nor takes an answer."""
    await ask("cus_ann")
    await ask("cus_bob")
    first = await begin("cus_max", "T-two", status="success", finished_at=func.now())
    assert await hit(ask("cus_max", by=first))
    second = await begin("cus_max", "T-two")
    state, found = await ask("cus_max", by=second)
    assert (found, state.get("kb_version")) == (False, None)


async def test_lifetime_of_nothing_switches_the_cache_off(
    ask: Ask, sessions: Sessions, tenant: Tenant
) -> None:
    """0 in the policy: nothing is looked up, and so nothing is kept."""
    for customer in ("cus_ann", "cus_bob", "cus_max"):
        assert not await hit(ask(customer, seconds=0))
    async with sessions() as session:
        rows = (
            select(func.count())
            .select_from(CachedAnswerRow)
            .where(CachedAnswerRow.tenant_id == tenant.id)
        )
        assert await session.scalar(rows) == 0


async def test_row_of_another_shape_is_a_miss(ask: Ask, sessions: Sessions, tenant: Tenant) -> None:
    """What an older release wrote does no harm."""
    await ask("cus_ann")
    await ask("cus_bob")
    async with sessions.begin() as session:
        mine = update(CachedAnswerRow).where(CachedAnswerRow.tenant_id == tenant.id)
        await session.execute(mine.values(answer={"text": "Hello"}))
    assert not await hit(ask("cus_max"))


async def test_cache_that_cannot_be_read_is_a_miss(begin: Begin) -> None:
    """A database that refuses the look-up costs a model call, not the ticket."""
    by = await begin("cus_ann", "T-x")
    unreachable = f"postgresql://unknown:x@127.0.0.1:{free_port()}/none"
    pool: SaverPool = SteadyPool(unreachable, min_size=1, open=False)
    async with pool:
        cache = PostgresAnswerCache(Sessions(pool=pool), by.run_id, 0, 60)
        recalled = await cache.recall(ticket(E42))
    assert (recalled.kb_version, recalled.answer) == (None, None)


async def test_writers_of_articles_never_wait_in_a_circle(
    sessions: Sessions, tenant: Tenant
) -> None:
    """Imports of the same articles in crossing orders all end, and each write is a version."""

    async def write(ids: list[str], content: str) -> None:
        async with sessions.begin() as session:
            for id_ in ids:
                await put_article(session, tenant.id, id_, id_, content, "en")

    async with sessions() as session:
        before = (await session.get_one(TenantRow, tenant.id)).kb_version
    order = ["a", "b", "c"]
    await asyncio.gather(*(write(order[:: (-1) ** n], f"Text {n}.") for n in range(4)))
    async with sessions() as session:
        assert (await session.get_one(TenantRow, tenant.id)).kb_version == before + 12


async def test_erased_customer_leaves_no_digest(
    ask: Ask, sessions: Sessions, tenant: Tenant
) -> None:
    """Rows that a customer's asking helped to make go with the customer, others stay."""
    await ask("cus_ann")
    await ask("cus_bob", "Is E43 known?")
    async with sessions.begin() as session:
        values = {"tenant": tenant.id, "customer": "cus_ann"}
        gone = await session.execute(text(STATEMENTS["answers"]), values)
    assert gone.rowcount == 1  # type: ignore[attr-defined]  # a cursor's result
    async with sessions() as session:
        left = (
            select(func.count())
            .select_from(CachedAnswerRow)
            .where(CachedAnswerRow.tenant_id == tenant.id)
        )
        assert await session.scalar(left) == 1
