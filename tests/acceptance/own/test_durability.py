"""Nothing is lost and nothing happens twice when workers die, drain, or are asked to stop."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.commands.migrate import migrate
from app.db.core.embedded import embedded_postgres
from app.worker.maintenance import OVERDUE
from tests.acceptance.held_model import HeldModel
from tests.acceptance.stack import Client, Stack, running
from tests.acceptance.waiting import PATIENCE_SECONDS, TWICE, query, until
from tests.conftest import Tenant

pytestmark = pytest.mark.no_articles

# How releases queued a run before their rows were the queue.
JOB_OF_BEFORE = """
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('runs', 'advance_run', 0, NULL, NULL,
    jsonb_build_object('run_id', %s::text), NULL)::procrastinate_job_to_defer_v1])"""


@pytest.fixture(scope="module")
def api_stack(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, held_model: HeldModel
) -> Iterator[Stack]:
    """An API, which no test here stops."""
    settings = {"DESKGRAPH_DRAIN_SECONDS": "5", "DESKGRAPH_MAX_LOSSES": "2", **held_model.env}
    with running(Stack(database_url, tmp_path_factory.mktemp("held"), **settings)) as stack:
        stack.api()
        yield stack


@pytest.fixture
def held_stack(api_stack: Stack, model: HeldModel) -> Iterator[Stack]:
    """The API without workers; each test starts its own, and they end with it."""
    yield api_stack
    # What still waits for the model gets its answer, so that no worker has to wait for its bound.
    model.release()
    api_stack.stop(besides=1)


@pytest.fixture
def helpdesk(held_stack: Stack, tenant: Tenant) -> Client:
    """Starts runs."""
    return held_stack.client(tenant.starter)


@pytest.fixture
def reviewer(held_stack: Stack, tenant: Tenant) -> Client:
    """Decides."""
    return held_stack.client(tenant.approver)


def losses(database_url: str, run: Any) -> int:
    """How many lost workers count against the run."""
    [[count]] = query(database_url, "SELECT losses FROM runs WHERE id = %s", run["id"])
    return int(count)


def test_killed_worker_is_noticed_and_its_run_goes_on(
    held_stack: Stack, helpdesk: Client, reviewer: Client, model: HeldModel, database_url: str,
    tenant: Tenant,
) -> None:  # fmt: skip
    """SIGKILL inside a model call: another worker goes on from the last checkpoint."""
    model.hold("Proposal")
    doomed = held_stack.worker()
    run = helpdesk.start("cus_ann", TWICE, wait=0)
    assert model.arrived.wait(PATIENCE_SECONDS)
    held_stack.worker()
    doomed.kill()
    model.release()

    paused = helpdesk.run(run["id"])
    assert (paused["status"], paused["attempt"]) == ("interrupted", 2)
    assert model.calls.count("Classification") == 1, "its checkpoint was not lost"
    assert reviewer.decide(paused, "approve").status_code == 202
    assert helpdesk.run(run["id"])["outcome"] == "acted"
    refunds = query(database_url, "SELECT 1 FROM sandbox_refunds WHERE tenant_id = %s", tenant.id)
    assert len(refunds) == 1


def test_run_whose_worker_dies_during_its_claim_goes_on(
    held_stack: Stack, helpdesk: Client, database_url: str
) -> None:
    """SIGKILL while it waits for the run's customer: the run never left the queue."""
    run = helpdesk.start("cus_ann", TWICE, wait=0)
    claiming = (
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    lock = (
        "SELECT pg_advisory_xact_lock("
        "hashtextextended(concat_ws(E'\\x1f', 'customer', tenant_id, customer_id), 0))"
        " FROM runs WHERE id = %s"
    )
    with psycopg.connect(database_url) as holder:
        holder.execute(lock, [run["id"]])
        doomed = held_stack.worker()
        until(lambda: query(database_url, claiming))
        held_stack.worker()
        doomed.kill()
        [[killed]] = holder.execute("SELECT clock_timestamp()")

    assert helpdesk.run(run["id"])["status"] == "interrupted"
    [[started]] = query(database_url, "SELECT started_at FROM runs WHERE id = %s", run["id"])
    assert started - killed < OVERDUE / 2


def test_worker_killed_after_the_decision_acts_once(
    held_stack: Stack, helpdesk: Client, reviewer: Client, model: HeldModel, database_url: str,
    tenant: Tenant,
) -> None:  # fmt: skip
    """Killed between the refund and the reply: the refund stands once, the reply comes."""
    doomed = held_stack.worker()
    run = helpdesk.start("cus_ann", TWICE)
    model.hold("Reply")
    reviewer.decide(run, "approve")
    assert model.arrived.wait(PATIENCE_SECONDS)
    doomed.kill()
    model.release()
    held_stack.worker()

    done = helpdesk.run(run["id"])
    assert (done["status"], done["outcome"], done["attempt"]) == ("success", "acted", 3)
    assert [effect["tool"] for effect in done["effects"]] == ["refund_payment", "send_reply"]
    ledger = query(database_url, "SELECT status FROM ledger WHERE tenant_id = %s", tenant.id)
    assert ledger == [("done",), ("done",)]


def test_sigterm_hands_the_run_back_at_a_step_border(
    held_stack: Stack, helpdesk: Client, model: HeldModel, database_url: str
) -> None:
    """The step in progress is finished and kept; the run waits, no loss is counted."""
    model.hold("Classification")
    first = held_stack.worker()
    run = helpdesk.start("cus_ann", TWICE, wait=0)
    assert model.arrived.wait(PATIENCE_SECONDS)
    first.signal(signal.SIGTERM)
    first.wait_for_line("drain_begins")
    model.release()
    assert first.wait(PATIENCE_SECONDS) == 0
    waiting = helpdesk.run(run["id"], wait=0)
    assert waiting["status"] == "pending"

    held_stack.worker()
    assert helpdesk.run(run["id"])["status"] == "interrupted"
    assert model.calls.count("Classification") == 1, "the drained step was kept"
    assert losses(database_url, run) == 0


def test_stop_is_bounded_when_a_model_hangs(
    held_stack: Stack, helpdesk: Client, model: HeldModel, database_url: str
) -> None:
    """A step that does not end within the bound is given up and done again elsewhere."""
    model.hold("Classification")
    worker = held_stack.worker()
    run = helpdesk.start("cus_ann", TWICE, wait=0)
    assert model.arrived.wait(PATIENCE_SECONDS)
    assert worker.stop() == 0
    assert helpdesk.run(run["id"], wait=0)["status"] == "pending"
    model.release()
    held_stack.worker()
    assert helpdesk.run(run["id"])["status"] == "interrupted"
    assert losses(database_url, run) == 0


def test_cancel_stops_a_run_inside_a_model_call(
    held_stack: Stack, helpdesk: Client, model: HeldModel
) -> None:
    """The worker lets go although the model never answers; nothing was sent."""
    model.hold("Classification")
    held_stack.worker()
    run = helpdesk.start("cus_ann", TWICE, wait=0)
    assert model.arrived.wait(PATIENCE_SECONDS)
    asked = helpdesk.http.post(f"/v1/runs/{run['id']}/cancel")
    assert asked.status_code == 202
    assert asked.json()["cancel_requested_at"] is not None
    cancelled = helpdesk.run(run["id"])
    assert (cancelled["status"], cancelled["effects"]) == ("cancelled", [])
    finished = helpdesk.http.post(f"/v1/runs/{run['id']}/cancel")
    assert finished.status_code == 202, "cancelling twice is no error"


def test_run_that_is_not_queued_is_queued_again(
    held_stack: Stack, helpdesk: Client, database_url: str
) -> None:
    """A due run that nothing put on the queue is found by the sweep."""
    run = helpdesk.start("cus_ann", TWICE, wait=0)
    query(
        database_url,
        "UPDATE runs SET queued_for = NULL, queued_at = now() - interval '1 minute',"
        " not_before = now() - interval '1 minute' WHERE id = %s RETURNING 1",
        run["id"],
    )
    held_stack.worker()
    assert helpdesk.run(run["id"])["status"] == "interrupted"


def test_run_that_an_earlier_release_queued_as_a_job_goes_on(
    held_stack: Stack, helpdesk: Client, database_url: str
) -> None:
    """At a redeploy it is not on the queue of runs, and its job finds it long before the sweep."""
    run = helpdesk.start("cus_ann", TWICE, wait=0)
    query(database_url, "UPDATE runs SET queued_for = NULL WHERE id = %s RETURNING 1", run["id"])
    query(database_url, JOB_OF_BEFORE, run["id"])
    [[queued]] = query(database_url, "SELECT clock_timestamp()")
    held_stack.worker()
    assert helpdesk.run(run["id"])["status"] == "interrupted"
    [[started]] = query(database_url, "SELECT started_at FROM runs WHERE id = %s", run["id"])
    assert started - queued < OVERDUE


def test_run_that_no_worker_answers_for_is_adopted(
    held_stack: Stack, helpdesk: Client, database_url: str
) -> None:
    """A claim whose answer was lost on the way: its own live worker brings the run back."""
    worker = held_stack.worker()
    run = helpdesk.start("cus_ann", TWICE)
    started = next(line for line in worker.log.read_text().splitlines() if "worker_started" in line)
    query(
        database_url,
        "UPDATE runs SET status = 'running', worker_id = %s WHERE id = %s RETURNING 1",
        json.loads(started)["worker"],
        run["id"],
    )
    again = until(lambda: (r := helpdesk.run(run["id"], wait=0))["attempt"] == 2 and r)
    assert helpdesk.run(again["id"])["status"] == "interrupted"


def test_doubled_and_late_jobs_are_harmless(
    held_stack: Stack, helpdesk: Client, reviewer: Client, database_url: str, tenant: Tenant
) -> None:
    """Ten jobs of an earlier release for the same run, which has a decision, change nothing."""
    held_stack.worker()
    held_stack.worker()
    run = helpdesk.start("cus_ann", TWICE)
    reviewer.decide(run, "approve")
    for _ in range(10):
        query(database_url, JOB_OF_BEFORE, run["id"])
    assert helpdesk.run(run["id"])["outcome"] == "acted"
    empty = "SELECT 1 FROM procrastinate_jobs WHERE args->>'run_id' = %s"
    until(lambda: not query(database_url, empty, run["id"]))
    refunds = query(database_url, "SELECT 1 FROM sandbox_refunds WHERE tenant_id = %s", tenant.id)
    assert len(refunds) == 1
    assert helpdesk.run(run["id"])["attempt"] == 2


@pytest.mark.thorough
def test_expired_approval_does_nothing_and_brings_a_person(
    held_stack: Stack, helpdesk: Client, reviewer: Client, database_url: str
) -> None:
    """After its time an approval cannot be decided; the ticket goes to a person."""
    held_stack.worker()
    run = helpdesk.start("cus_ann", TWICE)
    [approval] = run["approvals"]
    query(
        database_url,
        "UPDATE approvals SET expires_at = now() - interval '1 second' WHERE id = %s RETURNING 1",
        approval["id"],
    )
    refused = reviewer.decide(run, "approve")
    assert (refused.status_code, refused.json()["code"]) == (410, "approval-expired")
    done = until(lambda: (r := helpdesk.run(run["id"], wait=0))["outcome"] and r)
    assert (done["outcome"], done["escalation"]["reason"]) == ("escalated", "expired")
    assert done["approvals"][0]["status"] == "expired"
    late = reviewer.http.post(
        f"/v1/runs/{run['id']}/resume",
        json={"approval_id": approval["id"], "digest": approval["digest"], "verdict": "approve"},
    )
    assert (late.status_code, late.json()["code"]) == (410, "approval-expired")


def test_run_that_kills_every_worker_ends_as_an_error(
    held_stack: Stack, helpdesk: Client, model: HeldModel
) -> None:
    """A poison run costs a bounded number of workers, and the thread is free again."""
    model.hold("Classification")
    run = helpdesk.start("cus_ann", TWICE, wait=0)
    for _ in range(2):
        model.arrived.clear()
        doomed = held_stack.worker()
        assert model.arrived.wait(PATIENCE_SECONDS)
        doomed.kill()
    held_stack.worker()
    ended = helpdesk.run(run["id"])
    assert (ended["status"], ended["error"]["type"]) == ("error", "workers_lost")
    model.release()
    assert helpdesk.start("cus_ann", TWICE)["status"] == "interrupted", "its ticket goes on"


def test_worker_stops_although_its_database_is_gone(tmp_path: Path) -> None:
    """SIGTERM is heeded within a bound, whatever cannot be written any more."""
    with embedded_postgres(tmp_path / "pg") as url:
        migrate(url, lambda _step: None)
        stack = Stack(url, tmp_path, DESKGRAPH_DRAIN_SECONDS="2")
        worker = stack.worker()
    worker.wait_for_line("database_unavailable")
    assert worker.stop() == 0
