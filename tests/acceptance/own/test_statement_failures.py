"""A statement that Postgres refuses is a defect: it is called one, and quotes no customer."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.acceptance.refusals import expect_refused
from tests.acceptance.stack import Stack, running, ticket
from tests.acceptance.waiting import until
from tests.cases import some
from tests.conftest import Tenant

WORD = "quuxplugh"
E42 = f"Hello {WORD}, my upload fails with error E42. How do I fix it?"
HOLDS_WORD = f"position('{WORD}' in NEW::text) + position(encode('{WORD}', 'hex') in NEW::text) > 0"
# Refuses a row, and says the word in every part of its error.
REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF {when} THEN
        RAISE EXCEPTION 'invalid row: % of {word}', NEW
            USING DETAIL = NEW::text, HINT = NEW::text, ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$"""
CHECK_VIOLATION, UNDEFINED_COLUMN = "23514", "42703"


@pytest.fixture(scope="module")
def stack(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An API and a worker."""
    with running(Stack(database_url, Path(tmp_path_factory.mktemp("stack")))) as started:
        started.api()
        started.worker()
        yield started


@contextmanager
def refusing(database_url: str, table: str, when: str = HOLDS_WORD) -> Iterator[None]:
    """Postgres takes no row of the table for which this holds: by default, that has the word."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(REFUSE.format(when=when, word=WORD).encode())
        on = SQL("CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {} FOR EACH ROW").format(
            Identifier(table)
        )
        connection.execute(on + SQL(" EXECUTE FUNCTION refuse()"))
        yield
        connection.execute("DROP FUNCTION refuse CASCADE")


Events = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def logged(stack: Stack) -> Events:
    """The lines of one event since the test began; none of any event holds the word, or SQL."""
    begun = {process.log: process.log.stat().st_size for process in stack.processes}

    def events(name: str) -> list[dict[str, Any]]:
        text = "".join(log.read_bytes()[size:].decode() for log, size in begun.items())
        for foreign in (WORD, "INSERT INTO", "UPDATE runs"):
            assert foreign not in text
        found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [line for line in found if line["event"] == name]

    return events


@pytest.mark.parametrize("table", ["runs", "messages"])
def test_refused_statement_of_a_request_is_an_internal_problem(
    stack: Stack, tenant: Tenant, database_url: str, logged: Events, table: str
) -> None:
    """The caller gets a 500 without a reason; the log calls it a defect, with its SQLSTATE."""
    helpdesk = stack.client(tenant.starter)
    with refusing(database_url, table):
        answer = helpdesk.http.post("/v1/runs", json=ticket("cus_lou", E42))
    expect_refused(answer, 500, "internal")
    assert WORD not in answer.text
    [failed] = logged("statement_failed")
    assert failed["sqlstate"] == CHECK_VIOLATION
    assert "app.db.runs.insert" in failed["exception"], "it says where in our code"
    assert logged("database_unavailable") == []


def test_column_that_is_gone_is_no_outage(
    stack: Stack, tenant: Tenant, database_url: str, logged: Events
) -> None:
    """A schema that does not fit the code is a 500, however often a caller comes again."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE runs RENAME COLUMN callback_url TO gone")
        answer = stack.client(tenant.starter).http.post("/v1/runs", json=ticket("cus_lou", E42))
        connection.execute("ALTER TABLE runs RENAME COLUMN gone TO callback_url")
    expect_refused(answer, 500, "internal")
    assert {line["sqlstate"] for line in logged("statement_failed")} == {UNDEFINED_COLUMN}
    assert logged("database_unavailable") == []


@pytest.mark.parametrize("table", some(["checkpoint_blobs", "steps", "handoffs", "ledger"], 4))
def test_refused_statement_of_a_run_quotes_no_caller(
    stack: Stack, tenant: Tenant, database_url: str, logged: Events, table: str
) -> None:
    """Neither the worker's log nor the run's steps hold what the customer wrote or any SQL."""
    helpdesk = stack.client(tenant.starter)
    with refusing(database_url, table):
        run = helpdesk.start("cus_lou", f"I want to speak to a human, now! {WORD}", wait=0)
        until(lambda: helpdesk.run(run["id"], wait=1)["status"] in ("error", "success"))
        ended = helpdesk.run(run["id"])
    assert ended["status"] == "error"
    steps = helpdesk.http.get(f"/v1/runs/{run['id']}/steps").json()["items"]
    for said in (*(step["error"] for step in steps), ended["escalation"]):
        assert WORD not in str(said)
        assert "INSERT" not in str(said)
    assert logged("database_unavailable") == []


def test_refused_statement_of_a_tool_tells_no_caller_its_values(
    stack: Stack, tenant: Tenant, database_url: str, logged: Events
) -> None:
    """The reason for the hand-off, which people and callers read, is in our own words."""
    helpdesk = stack.client(tenant.starter)
    with refusing(database_url, "messages", "NEW.author = 'deskgraph'"):
        run = helpdesk.start("cus_lou", E42, ticket_id="T-2", wait=0)
        until(lambda: helpdesk.run(run["id"], wait=1)["status"] in ("error", "success"))
        ended = helpdesk.run(run["id"])
    assert ended["escalation"]["reason"] == "node_failed"
    assert f"SQLSTATE {CHECK_VIOLATION}" in ended["escalation"]["detail"]
    assert WORD not in str(ended["escalation"])
    handoffs = stack.client(tenant.admin).http.get("/v1/handoffs").json()["items"]
    assert "invalid row" not in str(handoffs)
    assert logged("database_unavailable") == []


def test_worker_survives_a_refused_statement_in_the_background(
    stack: Stack, tenant: Tenant, database_url: str
) -> None:
    """It logs the place in the code without a value, and works again once the schema is right."""
    worker = stack.processes[-1]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE workers RENAME COLUMN beat_at TO gone")
        try:
            until(lambda: "app.worker.heartbeat" in worker.log.read_text())
        finally:
            connection.execute("ALTER TABLE workers RENAME COLUMN gone TO beat_at")
    said = worker.log.read_text()
    assert "statement_failed" in said
    assert f"UndefinedColumn (SQLSTATE {UNDEFINED_COLUMN})" in said
    assert "INSERT INTO" not in said
    assert stack.client(tenant.starter).start("cus_lou", E42)["status"] == "success"
