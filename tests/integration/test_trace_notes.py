"""Notes on traces: written with what they are about, sent once, tried again, given up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update
from structlog.testing import capture_logs

from app.db.core.connections import Sessions
from app.db.runs import trace_notes
from app.db.runs.queue import enqueue_run
from app.db.runs.retention import delete_trace_notes
from app.db.runs.sampling import is_sampled
from app.db.runs.transitions import Ending
from app.db.tables.conversations import Feedback
from app.db.tables.runs import Run
from app.db.tables.traces import TraceNote
from app.db.tenants.queries import add_policy
from app.execution import finish
from app.execution.wiring import Service, open_service
from app.lifecycle import RunStatus
from app.observability.langsmith_api import LangSmithApi
from app.services.conversations.feedback import Rating, rate
from app.services.traces.notes import WAITS_SECONDS
from app.worker.trace_dispatcher import TraceDispatcher, send_trace_notes
from tests.conftest import Tenant
from tests.doubles.langsmith_capture import LangSmithCapture
from tests.doubles.server import serving
from tests.integration.conftest import Begin
from tests.integration.test_desk_dispatcher import eventually
from tools.ports import Caller

pytestmark = pytest.mark.no_articles

PROJECT = "support-desk"
DUE = {"next_at": func.now() - timedelta(seconds=1)}


@pytest.fixture
def langsmith() -> LangSmithCapture:
    """With the project that traces made."""
    capture = LangSmithCapture()
    capture.runs["first"] = {"id": "first", "session_name": PROJECT}
    return capture


@asynccontextmanager
async def traced_service(service: Service, langsmith: LangSmithCapture) -> AsyncIterator[Service]:
    """The same service, with a key of LangSmith's."""
    with serving(langsmith.app) as endpoint:
        settings = service.settings.model_copy(
            update={
                "langsmith_api_key": SecretStr("ls-key"),
                "langsmith_endpoint": endpoint,
                "langsmith_project": PROJECT,
            }
        )
        async with open_service(settings) as opened:
            yield opened


async def traced(begin: Begin, **values: Any) -> tuple[Caller, UUID]:
    """A run whose newest execution is traced, and that trace."""
    trace_id = uuid4()
    return await begin("cus_ann", traced=True, trace_id=trace_id, **values), trace_id


async def notes_of(sessions: Sessions, run_id: UUID) -> dict[str, TraceNote]:
    """The run's notes by key."""
    async with sessions() as session:
        found = await session.scalars(select(TraceNote).where(TraceNote.run_id == run_id))
        return {note.key: note for note in found}


async def make_due(sessions: Sessions, run_id: UUID) -> None:
    """As if its wait were over."""
    async with sessions.begin() as session:
        await session.execute(update(TraceNote).where(TraceNote.run_id == run_id).values(**DUE))


async def rated(sessions: Sessions, tenant: Tenant, comment: str = "Fine") -> None:
    """The ticket's answer is rated."""
    async with sessions.begin() as session:
        await rate(session, tenant.id, "k", Rating("T-1", "stars", 5, comment))


async def test_untraced_run_has_no_notes(sessions: Sessions, tenant: Tenant, begin: Begin) -> None:
    """Its rating is stored all the same."""
    caller = await begin("cus_ann")
    await rated(sessions, tenant)
    assert await notes_of(sessions, caller.run_id) == {}


async def test_end_of_a_traced_run_notes_nothing(sessions: Sessions, begin: Begin) -> None:
    """What was checked, and who got it, comes with the trace: most ends are one statement."""
    caller, _ = await traced(begin)
    async with sessions() as session:
        run = await session.get_one(Run, caller.run_id)
    checked = {"verdicts": [{"supported": True}], "escalation": {"reason": "angry"}}
    ending = Ending(RunStatus.SUCCESS, outcome="escalated", result=checked)
    assert await finish.finish(sessions, enqueue_run, run, ending)
    assert await notes_of(sessions, run.id) == {}


@asynccontextmanager
async def sending(service: Service, langsmith: LangSmithCapture) -> AsyncIterator[Service]:
    """While a worker's part for traces is at work."""
    stop = asyncio.Event()
    async with traced_service(service, langsmith) as opened:
        working = asyncio.create_task(send_trace_notes(opened, stop))
        yield opened
        stop.set()
        await working


async def test_notes_are_settled_at_once_where_only_spans_are_sent(
    service: Service, sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """A collector takes no feedback; nothing waits for the end of the retention."""
    caller, _ = await traced(begin)
    await rated(sessions, tenant)
    only_spans = {"langsmith_api_key": None, "otel_endpoint": "http://127.0.0.1:9/v1/traces"}
    settings = service.settings.model_copy(update=only_spans)
    stop = asyncio.Event()
    async with open_service(settings) as opened:
        working = asyncio.create_task(send_trace_notes(opened, stop))

        async def settled() -> bool:
            return (await notes_of(sessions, caller.run_id))["csat"].status == "sent"

        await eventually(settled)
        stop.set()
        await working


async def feedback(langsmith: LangSmithCapture, trace_id: UUID, key: str) -> Any:
    """What arrived, if it did."""
    return langsmith.feedback_on(str(trace_id)).get(key)


async def test_note_is_sent_again_after_an_outage(
    service: Service, sessions: Sessions, tenant: Tenant, begin: Begin, langsmith: LangSmithCapture
) -> None:
    """A refused one waits; then it arrives, once."""
    caller, trace_id = await traced(begin)
    await rated(sessions, tenant)
    langsmith.status = 503

    async def waits() -> bool:
        return (await notes_of(sessions, caller.run_id))["csat"].last_error == "answered 503"

    async with sending(service, langsmith):
        await eventually(waits)
        assert langsmith.feedback == {}
        langsmith.status = 202
        await make_due(sessions, caller.run_id)
        await eventually(lambda: feedback(langsmith, trace_id, "csat"))

        async def ended() -> bool:
            return (await notes_of(sessions, caller.run_id))["csat"].status == "sent"

        await eventually(ended)
    assert langsmith.requests.count("/feedback") == 1


async def test_note_is_given_up_after_a_day(
    service: Service,
    sessions: Sessions,
    tenant: Tenant,
    begin: Begin,
    langsmith: LangSmithCapture,
) -> None:
    """With a line in the log; the rating stays."""
    caller, _ = await traced(begin)
    await rated(sessions, tenant)
    langsmith.status = 401
    async with traced_service(service, langsmith) as opened, LangSmithApi(opened.settings) as api:
        sender = TraceDispatcher(opened, api)
        with capture_logs() as lines:
            await use_up(sessions, sender, caller.run_id)
    assert (await notes_of(sessions, caller.run_id))["csat"].status == "dead"
    [given_up] = [line for line in lines if line["event"] == "trace_note_given_up"]
    assert (given_up["key"], given_up["error"]) == ("csat", "answered 401")
    assert langsmith.feedback == {}


async def use_up(sessions: Sessions, sender: TraceDispatcher, run_id: UUID) -> None:
    """Make every attempt at the run's notes, without the waits."""
    for _ in range(len(WAITS_SECONDS) + 1):
        await make_due(sessions, run_id)
        async with sessions.begin() as session:
            due = await trace_notes.claim(session, timedelta(minutes=1), 100, [])
        for note in due:
            await sender.send(note)


async def test_later_rating_is_sent_though_the_first_is_on_its_way(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """The end of the older attempt changes nothing."""
    caller, _ = await traced(begin)
    await rated(sessions, tenant)
    async with sessions.begin() as session:
        due = await trace_notes.claim(session, timedelta(minutes=1), 100, [])
    [held] = [note for note in due if note.run_id == caller.run_id]
    await rated(sessions, tenant, "Better")
    async with sessions.begin() as session:
        again = await trace_notes.claim(session, timedelta(minutes=1), 100, [])
        assert [note.id for note in again if note.run_id == caller.run_id] == [held.id]
    async with sessions.begin() as session:
        assert not await trace_notes.conclude(session, held, status="sent")
    assert (await notes_of(sessions, caller.run_id))["csat"].status == "pending"


async def test_erased_comment_is_not_sent(
    service: Service, sessions: Sessions, tenant: Tenant, begin: Begin, langsmith: LangSmithCapture
) -> None:
    """A note holds no text: what is sent is read then."""
    caller, trace_id = await traced(begin)
    await rated(sessions, tenant, "My secret")
    async with sessions.begin() as session:
        await session.execute(
            update(Feedback).where(Feedback.run_id == caller.run_id).values(comment="")
        )
    async with sending(service, langsmith):
        await eventually(lambda: feedback(langsmith, trace_id, "csat"))
    assert b"My secret" not in langsmith.sent


async def test_without_texts_the_score_alone_is_sent(
    service: Service, sessions: Sessions, tenant: Tenant, begin: Begin, langsmith: LangSmithCapture
) -> None:
    """As the policy says that the run was started under."""
    async with sessions.begin() as session:
        await add_policy(session, tenant.id, 1, {"trace_content": "none"}, "k")
    _, trace_id = await traced(begin)
    await rated(sessions, tenant, "My secret")
    async with sending(service, langsmith):
        found = await eventually(lambda: feedback(langsmith, trace_id, "csat"))
    assert (found["score"], "comment" in found) == (1, False)


async def test_old_notes_are_deleted(sessions: Sessions, tenant: Tenant, begin: Begin) -> None:
    """By age, whatever became of them."""
    caller, _ = await traced(begin)
    await rated(sessions, tenant)
    async with sessions.begin() as session:
        assert await delete_trace_notes(session, tenant.id, 1, 10) == 0
        old = update(TraceNote).where(TraceNote.run_id == caller.run_id)
        await session.execute(old.values(created_at=func.now() - timedelta(days=2)))
        assert await delete_trace_notes(session, tenant.id, 1, 10) == 1


async def test_share_decides_by_the_runs_id(
    sessions: Sessions, tenant: Tenant, begin: Begin
) -> None:
    """The same each time; a larger share has all that a smaller one has."""
    for version, share in enumerate((0, 0.3, 0.7, 1), start=1):
        async with sessions.begin() as session:
            await add_policy(session, tenant.id, version, {"trace_share": share}, "k")
    for number in range(40):
        await begin(f"cus_{number}", f"T-{number}")
    chosen = []
    for version in range(1, 5):
        async with sessions.begin() as session:
            own = update(Run).where(Run.tenant_id == tenant.id)
            await session.execute(own.values(policy_version=version))
            query = select(Run.id).where(Run.tenant_id == tenant.id, is_sampled())
            first, second = [set(await session.scalars(query)) for _ in range(2)]
            assert first == second
            chosen.append(first)
    assert [len(chosen[0]), len(chosen[3])] == [0, 40]
    assert chosen[0] < chosen[1] < chosen[2] < chosen[3]
