"""Ratings of answers: stored, checked, and what a bad one makes the cache forget."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db.core.connections import Sessions
from app.db.tables.knowledge import CachedAnswerRow
from app.errors import NotFoundError
from app.execution.wiring import Service
from app.services.conversations.feedback import Rating, rate
from graphs.reply.question_key import question_sha256
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.workplace import Workplace
from tests.unit.desk import E42, ticket

pytestmark = pytest.mark.no_articles

KEY = question_sha256(ticket(E42))


async def keep(sessions: Sessions, tenant_id: str, question: bytes = KEY) -> None:
    """An answer in the cache."""
    async with sessions.begin() as session:
        session.add(CachedAnswerRow(
            tenant_id=tenant_id, question_sha256=question, language="", kb_version=1,
            policy_version=0, answer={}, customers=[b"c"],
            expires_at=datetime.now(UTC) + timedelta(hours=1),
        ))  # fmt: skip


async def kept(sessions: Sessions, tenant_id: str) -> int:
    """How many answers are kept."""
    async with sessions() as session:
        mine = select(func.count()).where(CachedAnswerRow.tenant_id == tenant_id)
        return await session.scalar(mine.select_from(CachedAnswerRow)) or 0


@pytest.mark.parametrize(
    ("scale", "score", "left"),
    [
        ("stars", 1, 1), ("stars", 2, 1), ("stars", 3, 2), ("stars", 5, 2),
        ("thumbs", -1, 1), ("thumbs", 1, 2),
    ],
)  # fmt: skip
async def test_bad_rating_drops_the_answer(
    sessions: Sessions, tenant: Tenant, begin: Begin, scale: Any, score: int, left: int
) -> None:
    """That to the ticket's question alone, and at once."""
    await begin("cus_ann", "T-1", result={"question": KEY.hex()})
    await keep(sessions, tenant.id)
    await keep(sessions, tenant.id, b"another question")
    async with sessions.begin() as session:
        note = await rate(session, tenant.id, "k", Rating("T-1", scale, score, "No."))
        assert (note.score, note.comment) == (score, "No.")
    assert await kept(sessions, tenant.id) == left


async def test_rating_of_another_tenants_ticket(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """What a caller may not see does not exist."""
    await begin("cus_ann", "T-1", result={"question": KEY.hex()})
    await keep(sessions, tenant.id)
    async with sessions.begin() as session:
        with pytest.raises(NotFoundError):
            await rate(session, "another", "k", Rating("T-1", "stars", 1, ""))
    assert await kept(sessions, tenant.id) == 1


async def test_run_without_a_question_can_be_rated(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """One that an older release began, or that was erased, has no key."""
    await begin("cus_ann", "T-1")
    await keep(sessions, tenant.id)
    async with sessions.begin() as session:
        await rate(session, tenant.id, "k", Rating("T-1", "thumbs", -1, ""))
    assert await kept(sessions, tenant.id) == 1


@pytest.mark.parametrize(
    ("intents", "dry_run", "stays"),
    [(["billing"], False, False), (["billing"], True, True), (["general"], False, True)],
)
async def test_corrected_triage_drops_the_answer(
    service: Service,
    sessions: Sessions,
    tenant: Tenant,
    intents: list[str],
    dry_run: bool,
    stays: bool,
) -> None:
    """A person who replays a run with other intents says that it was misunderstood."""
    work = Workplace(service, tenant)
    run = await work.advance(await work.start("How do I reset my password?", "cus_max"))
    assert run.result["triage"]["intents"] == ["general"]
    await keep(sessions, tenant.id, bytes.fromhex(run.result["question"]))
    await work.replay(run, "general", dry_run=dry_run, triage={"intents": intents})
    assert bool(await kept(sessions, tenant.id)) is stays
