"""What a tenant no longer keeps goes in batches; what runs go on from, and the ledger, stays."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import String, bindparam, text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from app.db.core.connections import Sessions
from app.db.runs import retention
from app.db.tables.runs import Run
from app.db.tables.tenants import PolicyVersion
from app.db.tenants.queries import ensure_tenant
from app.errors import CheckpointGoneError
from app.execution.wiring import Service
from app.worker.retention import prune
from tests.conftest import Tenant
from tests.integration.workplace import Workplace

E42 = "My upload fails with error E42. How do I fix it?"
AGE_RUN = """
    UPDATE runs SET finished_at = finished_at - make_interval(days => :days) WHERE id = :run"""
AGE_STEPS = """
    UPDATE steps SET started_at = started_at - make_interval(days => :days) WHERE run_id = :run"""
TABLES = ("checkpoints", "checkpoint_writes", "checkpoint_blobs")


@pytest.fixture
def place(service: Service, tenant: Tenant) -> Workplace:
    """A tenant whose runs a test advances."""
    return Workplace(service, tenant)


async def age(place: Workplace, run: Run, days: int) -> None:
    """Let the run have ended so many days ago."""
    async with place.service.sessions.begin() as session:
        for change in (AGE_RUN, AGE_STEPS):
            await session.execute(text(change), {"run": run.id, "days": days})


async def stored(place: Workplace, run: Run) -> dict[str, int]:
    """How many rows the run's thread has in the checkpointer's tables."""
    async with place.service.sessions() as session:
        return {
            table: int(
                await session.scalar(
                    text(f"SELECT count(*) FROM {table} WHERE thread_id = :thread"),  # noqa: S608
                    {"thread": str(run.thread_id)},
                )
                or 0
            )
            for table in TABLES
        }


async def test_old_finished_run_keeps_its_last_checkpoint_and_its_state(place: Workplace) -> None:
    """One checkpoint, readable in full; the steps stay longer; a replay says why it cannot be."""
    run = await place.advance(await place.start(E42))
    step = await place.step(run, "classify")
    where = {"configurable": {"thread_id": str(run.thread_id)}}
    before = await place.service.graph.aget_state(where)  # type: ignore[arg-type]
    await age(place, run, 31)
    steps = len(await place.steps(run))
    assert (await prune(place.service.sessions))["checkpoints"] >= 1
    kept = await stored(place, run)
    assert (kept["checkpoints"], kept["checkpoint_writes"]) == (1, 0)
    after = await place.service.graph.aget_state(where)  # type: ignore[arg-type]
    assert (after.values, after.next) == (before.values, before.next)
    assert len(await place.steps(run)) == steps
    assert step.checkpoint_id is not None
    with pytest.raises(CheckpointGoneError):
        await place.replay(run, "classify")


async def test_thread_goes_on_after_it_was_pruned(place: Workplace) -> None:
    """A later run of the ticket begins as if nothing had been there, and a younger one's stays."""
    old = await place.advance(await place.start(E42))
    young = await place.advance(await place.start(E42))
    whole = await stored(place, young)
    await age(place, old, 31)
    await prune(place.service.sessions)
    left = await stored(place, young)
    assert 1 < left["checkpoints"] < whole["checkpoints"]
    assert (await place.replay(young, "respond", dry_run=True)).outcome == "answered"
    assert (await place.advance(await place.start(E42))).outcome == "answered"


async def test_paused_and_young_runs_are_left_alone(place: Workplace) -> None:
    """However old, a run that waits keeps all it needs to go on."""
    paused = await place.advance(await place.start())
    before = await stored(place, paused)
    async with place.service.sessions.begin() as session:
        await session.execute(text(AGE_STEPS), {"run": paused.id, "days": 365})
    await prune(place.service.sessions)
    assert await stored(place, paused) == before
    assert await place.steps(paused)
    assert (await place.decide(paused)).outcome == "acted"


async def test_steps_go_later_and_the_ledger_never(place: Workplace) -> None:
    """After ninety days the steps are gone; run, messages and ledger are not."""
    run = await place.decide(await place.advance(await place.start()))
    effects = await place.effects()
    await age(place, run, 91)
    await prune(place.service.sessions)
    assert await place.steps(run) == []
    assert await place.effects() == effects


async def test_events_go_by_their_own_age(place: Workplace) -> None:
    """The old ones of the tenant, however many batches; the young ones stay."""
    await place.advance(await place.start(E42))
    old = await place.count("events")
    async with place.service.sessions.begin() as session:
        back = text(
            "UPDATE events SET created_at = created_at - interval '31 days' WHERE tenant_id = :t"
        )
        await session.execute(back, {"t": place.tenant.id})
    await place.advance(await place.start(E42))
    young = await place.count("events") - old
    await prune(place.service.sessions)
    assert (await place.count("events"), old > 0) == (young, True)


async def test_replay_keeps_its_last_checkpoint_alone(place: Workplace) -> None:
    """The copy that it began with is its own, and goes with the others of its thread."""
    again = await place.replay(await place.advance(await place.start(E42)), "respond", dry_run=True)
    assert (await stored(place, again))["checkpoints"] > 1
    await age(place, again, 31)
    await prune(place.service.sessions)
    assert (await stored(place, again))["checkpoints"] == 1


async def test_ended_callbacks_of_ended_runs_go(place: Workplace) -> None:
    """Not one that is pending, nor one whose run may note more: its number counts on from it."""
    ended = await place.advance(await place.start(E42))
    waiting = await place.advance(await place.start(ticket="T-2"))
    await age(place, ended, 31)
    rows = [(ended, "delivered", 31), (ended, "dead", 31), (ended, "disabled", 31),
            (ended, "pending", 31), (ended, "dead", 29), (waiting, "delivered", 31)]  # fmt: skip
    note = text("""
        INSERT INTO callbacks (id, tenant_id, run_id, number, event, url, body, status, next_at,
            delivered_at)
        VALUES (gen_random_uuid(), :tenant, :run, :number, 'run.finished', 'https://x.example',
            '{}', :status, now() - make_interval(days => :days),
            CASE WHEN :status = 'delivered' THEN now() END)""").bindparams(
        bindparam("status", type_=String)
    )
    async with place.service.sessions.begin() as session:
        for number, (run, status, days) in enumerate(rows, 1):
            values = {"run": run.id, "number": number, "status": status, "days": days}
            await session.execute(note, {"tenant": place.tenant.id, **values})
    await prune(place.service.sessions)
    left = text("SELECT number FROM callbacks WHERE tenant_id = :tenant ORDER BY number")
    async with place.service.sessions() as session:
        assert list(await session.scalars(left, {"tenant": place.tenant.id})) == [4, 5, 6]


async def test_secrets_that_sign_nothing_go(place: Workplace) -> None:
    """The live one stays, and one that expired lately."""
    secret = text("""
        INSERT INTO webhook_secrets (id, tenant_id, secret, expires_at)
        VALUES (gen_random_uuid(), :tenant, :name, now() - make_interval(days => :days))""")
    async with place.service.sessions.begin() as session:
        for name, days in (("live", None), ("late", 1), ("old", 31)):
            values = {"tenant": place.tenant.id, "name": name, "days": days}
            await session.execute(secret, values)
    await prune(place.service.sessions)
    left = text("SELECT secret FROM webhook_secrets WHERE tenant_id = :tenant ORDER BY secret")
    async with place.service.sessions() as session:
        assert list(await session.scalars(left, {"tenant": place.tenant.id})) == ["late", "live"]


async def test_one_worker_prunes_at_a_time_and_none_waits(place: Workplace) -> None:
    """While another holds the lock there is nothing to do."""
    run = await place.advance(await place.start(E42))
    await age(place, run, 91)
    before = await stored(place, run)
    async with place.service.sessions.begin() as other:
        assert await retention.alone(other)
        assert await prune(place.service.sessions) == {}
    assert await stored(place, run) == before


async def test_tenant_whose_policy_cannot_be_read_stops_no_other(place: Workplace) -> None:
    """It comes first and is logged; what the next one no longer keeps goes."""
    run = await place.advance(await place.start(E42))
    await age(place, run, 31)
    broken = {"retention": {"checkpoints_days": "many"}}
    async with place.service.sessions.begin() as session:
        await ensure_tenant(session, "a-broken", "Broken")
        session.add(
            PolicyVersion(tenant_id="a-broken", version=1, body=broken, created_by="a test")
        )
    with capture_logs() as lines:
        await prune(place.service.sessions)
    failed = [line["tenant_id"] for line in lines if line["event"] == "retention_failed"]
    assert failed == ["a-broken"]
    assert (await stored(place, run))["checkpoints"] == 1


async def test_outage_is_no_failure_of_a_tenant(place: Workplace) -> None:
    """It ends the round, so that the loop waits for the database instead of trying every tenant."""

    class Away(Sessions):
        def begin(self) -> Any:
            raise OperationalError("SELECT", {}, psycopg.OperationalError("the server is gone"))

    with capture_logs() as lines, pytest.raises(OperationalError):
        await prune(Away(place.service.sessions.kw["bind"]))
    assert place.tenant.id not in [line.get("tenant_id") for line in lines]
