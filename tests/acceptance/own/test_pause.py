"""The pause switch over HTTP and on the command line, with a run in the middle of a model call."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from tests.acceptance.held_model import HeldModel
from tests.acceptance.stack import Client, Stack, running
from tests.acceptance.waiting import HOURS, TWICE, until
from tests.conftest import Tenant


@pytest.fixture(scope="module")
def stack(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, held_model: HeldModel
) -> Iterator[Stack]:
    """An API and a worker on that model."""
    folder = tmp_path_factory.mktemp("pause")
    with running(Stack(database_url, folder, **held_model.env)) as started:
        started.api()
        started.worker()
        yield started


def switch(client: Client, *, paused: bool) -> Any:
    """Set the switch of the key's tenant."""
    answer = client.http.post("/v1/admin/pause", json={"paused": paused})
    assert answer.status_code == 200, answer.text
    return answer.json()


def deskgraph(stack: Stack, *command: str) -> Result:
    """Run a command on the stack's database, in this process."""
    return CliRunner().invoke(app, command, env=stack.env)


def replies(database_url: str, run_id: str) -> int:
    """Replies that left for a run."""
    with psycopg.connect(database_url) as connection:
        query = "SELECT count(*) FROM messages WHERE author = 'deskgraph' AND run_id = %s"
        [[count]] = connection.execute(query, [run_id])
    return int(count)


def test_paused_in_a_model_call_nothing_leaves_until_the_pause_ends(
    stack: Stack, tenant: Tenant, model: HeldModel, database_url: str
) -> None:
    """The run stops at the toolbox and waits in the queue; afterwards one refund and one reply."""
    starter, admin = stack.client(tenant.starter), stack.client(tenant.admin)
    approver = stack.client(tenant.approver)
    run = starter.start("cus_ann", TWICE)
    model.hold("Reply")
    assert approver.decide(run, "approve").status_code == 202
    assert model.arrived.wait(30)
    assert switch(admin, paused=True)["pauses"][0]["scope"] == "tenant"
    model.release()

    waiting = until(lambda: (now := starter.run(run["id"], wait=0))["queued_reason"] and now)
    assert (waiting["status"], waiting["queued_reason"]) == ("pending", "paused")
    later = starter.start("cus_lou", HOURS, "T-2", wait=1)
    assert (later["status"], later["queued_reason"], later["attempt"]) == ("pending", "paused", 0)
    assert replies(database_url, run["id"]) == 0
    assert starter.run(run["id"], wait=0)["attempt"] == waiting["attempt"], "no busy loop"

    assert switch(admin, paused=False) == {"paused": False, "pauses": [], "in_flight": 0}
    ended = starter.run(run["id"])
    assert (ended["status"], ended["outcome"]) == ("success", "acted")
    assert [effect["tool"] for effect in ended["effects"]] == ["refund_payment", "send_reply"]
    assert replies(database_url, run["id"]) == 1
    assert starter.run(later["id"])["status"] in ("success", "interrupted")


def test_decisions_are_taken_while_paused_and_carried_out_afterwards(
    stack: Stack, tenant: Tenant, database_url: str
) -> None:
    """By the operator's switch for everyone, on the command line."""
    starter, admin = stack.client(tenant.starter), stack.client(tenant.admin)
    run = starter.start("cus_ann", TWICE)
    assert run["status"] == "interrupted"
    assert deskgraph(stack, "pause").exit_code == 0
    shown = admin.http.get("/v1/admin/pause").json()
    assert (shown["paused"], shown["pauses"][0]["scope"]) == (True, "everyone")
    assert stack.client(tenant.approver).decide(run, "approve").status_code == 202
    waiting = starter.run(run["id"], wait=1)
    assert (waiting["status"], waiting["queued_reason"]) == ("pending", "paused")
    assert not switch(admin, paused=False)["pauses"][1:], "a tenant cannot end everyone's"
    assert starter.run(run["id"], wait=1)["status"] == "pending"

    ended = deskgraph(stack, "unpause")
    assert "1 runs queued" in ended.stdout, ended.stderr
    assert starter.run(run["id"])["outcome"] == "acted"
    assert replies(database_url, run["id"]) == 1
    assert deskgraph(stack, "pause", "--tenant", "nobody").exit_code == 2
