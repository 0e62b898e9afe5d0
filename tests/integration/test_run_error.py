"""A statement that fails in the middle of a run: neither SQL nor the ticket is shown to anyone."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from sqlalchemy import text, update
from structlog.testing import capture_logs

from app.db.tables.runs import Run
from app.execution.wiring import Service
from app.lifecycle import RunStatus
from tests.conftest import Tenant
from tests.integration.workplace import TWICE, Workplace

WORD = "quuxplugh"
E42 = f"Hello {WORD}, my upload fails with error E42. How do I fix it?"
HUMAN = f"I want to speak to a human, now! {WORD}"
# Refuses every row of the tenant's customer, and quotes row and ticket in its error.
REFUSE = f"""
CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'INSERT INTO of {WORD}: %', NEW USING DETAIL = NEW::text, HINT = '{WORD}';
END $$"""
SQL = ("INSERT", "UPDATE", "SELECT", "VALUES", "LINE 1", "%(")


@pytest.fixture
def place(service: Service, tenant: Tenant) -> Workplace:
    """A tenant whose runs a test advances."""
    return Workplace(service, tenant)


Refusing = Callable[[str], AbstractAsyncContextManager[None]]


@pytest.fixture
def refusing(service: Service) -> Refusing:
    """Postgres takes no row of a table meanwhile."""

    @asynccontextmanager
    async def refuse(table: str) -> AsyncIterator[None]:
        async with service.sessions.begin() as session:
            await session.execute(text(REFUSE))
            await session.execute(
                text(
                    f"CREATE TRIGGER refuse_row BEFORE INSERT ON {table} "
                    "FOR EACH ROW EXECUTE FUNCTION refuse_row()"
                )
            )
        try:
            yield
        finally:
            async with service.sessions.begin() as session:
                await session.execute(text("DROP FUNCTION refuse_row CASCADE"))

    return refuse


async def shown(place: Workplace, run: Run) -> str:
    """All that leaves the service about the run's end: row, events, steps, callbacks."""
    queries = (
        "SELECT error, status, outcome FROM runs WHERE id = :run",
        "SELECT type, data FROM events WHERE run_id = :run",
        "SELECT node, error FROM steps WHERE run_id = :run",
        "SELECT body, url FROM callbacks WHERE run_id = :run",
    )
    found = []
    async with place.service.sessions() as session:
        for query in queries:
            found += [str(row) for row in await session.execute(text(query), {"run": run.id})]
    escalation = run.result.get("escalation")
    return "\n".join([*found, str(escalation), str(run.result.get("handoff"))])


async def started(place: Workplace, body: str) -> Run:
    """A new run that has a callback URL."""
    run = await place.start(body)
    async with place.service.sessions.begin() as session:
        one = update(Run).where(Run.id == run.id)
        await session.execute(one.values(callback_url="https://helpdesk.example/hook"))
    return run


def refuse_foreign(said: str) -> None:
    """Neither a word of the ticket, nor of a statement."""
    assert WORD not in said
    assert not [word for word in SQL if word in said], said


@pytest.mark.parametrize(
    ("table", "body", "kind"),
    [
        ("checkpoints", E42, "database_refused"),
        ("steps", E42, "database_refused"),
        ("handoffs", HUMAN, "database_refused"),
        ("messages", E42, "database_refused"),
    ],
)
async def test_refused_row_ends_the_run_in_our_own_words(
    place: Workplace, refusing: Refusing, table: str, body: str, kind: str
) -> None:
    """The run's error has a stable type, what to do, and nothing that Postgres said."""
    run = await started(place, body)
    with capture_logs() as lines:
        async with refusing(table):
            ended = await place.advance(run)
    assert ended.status is RunStatus.ERROR
    assert ended.error is not None
    assert ended.error["type"] == kind
    assert "Replay" in ended.error["message"]
    refuse_foreign(await shown(place, ended))
    # How an exception itself is written is the logger's own law.
    refuse_foreign(str([{**line, "exc_info": None} for line in lines]))
    failed = {line["run_id"] for line in lines if line["event"] == "run_failed"}
    assert failed == {str(run.id)}, "what the error says to search for"


async def test_column_that_is_gone_brings_a_person_in_our_own_words(place: Workplace) -> None:
    """The specialist fails, the ticket is handed over, and the reason names no statement."""
    run = await started(place, f"{TWICE} {WORD}")
    rename = "ALTER TABLE sandbox_payments RENAME COLUMN {} TO {}"
    async with place.service.sessions.begin() as session:
        await session.execute(text(rename.format("refunded_minor", "gone")))
    try:
        ended = await place.advance(run)
    finally:
        async with place.service.sessions.begin() as session:
            await session.execute(text(rename.format("gone", "refunded_minor")))
    assert (ended.status, ended.outcome) == (RunStatus.SUCCESS, "escalated")
    assert ended.result["escalation"]["reason"] == "specialist_failed"
    refuse_foreign(await shown(place, ended))
    async with place.service.sessions() as session:
        query = text("SELECT summary FROM handoffs WHERE key = :key")
        brief: str = (await session.scalars(query, {"key": f"handoff:{ended.id}"})).one()
    why, _, _ = brief.partition("Subject:")
    refuse_foreign(why)
