"""The service behind PgBouncer in transaction mode, with fewer connections than processes."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.db.runs.workers import LEASE
from tests.acceptance.held_model import HeldModel
from tests.acceptance.own_database import tenant_on
from tests.acceptance.pooler import PROGRAM, Pooler, pooling
from tests.acceptance.stack import Client, Process, Stack, running, ticket
from tests.acceptance.waiting import HOURS, PATIENCE_SECONDS, TWICE, query, until
from tests.conftest import Tenant

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no PgBouncer here: apt-get install pgbouncer, or brew install it"
)

SERVERS = 3
# Those that are no pooler's. A worker's: four for jobs, LISTEN, and the lock of the living; an
# API's: LISTEN, from its first caller who waits on.
DIRECT = 6 + 1
TENANTS, TICKETS, CALLERS = 4, 6, 16
# Not autovacuum, which comes when it likes.
CLIENTS = """SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
    AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""


@pytest.fixture(scope="module")
def pooler(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pooler]:
    """A pooler with three connections for all processes together."""
    with pooling(database_url, Path(tmp_path_factory.mktemp("pooler")), SERVERS) as started:
        yield started


@pytest.fixture(scope="module")
def settings(database_url: str) -> dict[str, str]:
    """What differs behind a pooler."""
    return {
        "DESKGRAPH_DIRECT_DATABASE_URL": database_url,
        "DESKGRAPH_PREPARED_STATEMENTS": "false",
    }


@pytest.fixture(scope="module")
def stack(
    pooler: Pooler, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """An API and a worker behind it."""
    with running(Stack(pooler.url, Path(tmp_path_factory.mktemp("pooled")), **settings)) as started:
        started.api()
        started.worker()
        yield started


@pytest.fixture
def doomed(
    pooler: Pooler, settings: dict[str, str], model: HeldModel, tmp_path: Path
) -> Iterator[Process]:
    """Another worker, which takes one run and waits for its model for ever."""
    model.hold("Classification")
    one = {"DESKGRAPH_WORKER_CONCURRENCY": "1", **model.env, **settings}
    with running(Stack(pooler.url, tmp_path, **one)) as started:
        yield started.worker()


def send(client: Client) -> list[str]:
    """One ticket that wants money and many that ask something, without waiting."""
    sent = [ticket("cus_ann", TWICE, "T-0")]
    sent += [ticket(f"cus_{i}", HOURS, f"T-{i}") for i in range(1, TICKETS)]
    with ThreadPoolExecutor(CALLERS // TENANTS) as callers:
        answers = callers.map(lambda body: client.http.post("/v1/runs", json=body), sent)
    return [answer.raise_for_status().json()["id"] for answer in answers]


def rested(client: Client, run_id: str) -> Any:
    """The run, once it rests: on a busy machine three servers take longer than one wait."""
    ended = ("success", "interrupted")
    return until(lambda: (r := client.run(run_id))["status"] in ended and r, 2 * PATIENCE_SECONDS)


def approved(stack: Stack, tenant: Tenant, run: Any) -> Any:
    """The run, once a person has said yes and it ended."""
    assert run["status"] == "interrupted"
    assert stack.client(tenant.approver).decide(run, "approve").status_code == 202
    client = stack.client(tenant.starter)
    return until(lambda: (r := client.run(run["id"]))["finished_at"] and r)


def test_many_callers_and_a_killed_worker_end_well_behind_a_pooler(
    stack: Stack, pooler: Pooler, doomed: Process, model: HeldModel, database_url: str
) -> None:
    """Callers of four tenants at once, a worker killed meanwhile: each run ends, each refund once.

    The lock that shows a worker to be alive is free at once: its run waits for no lease.
    """
    tenants = [asyncio.run(tenant_on(database_url)) for _ in range(TENANTS)]
    clients = [stack.client(tenant.starter) for tenant in tenants]
    with ThreadPoolExecutor(TENANTS) as callers:
        sending = callers.map(send, clients)
        assert model.arrived.wait(PATIENCE_SECONDS)
        doomed.kill()
        killed = time.monotonic()
    until(lambda: query(database_url, "SELECT 1 FROM runs WHERE losses = 1 AND attempt = 2"))
    assert time.monotonic() - killed < LEASE.total_seconds()
    for tenant, client, runs in zip(tenants, clients, sending, strict=True):
        refund, *questions = [rested(client, run) for run in runs]
        assert [run["status"] for run in questions] == ["success"] * len(questions)
        done = approved(stack, tenant, refund)
        assert (done["outcome"], len(done["effects"])) == ("acted", 2)
    refunds = "SELECT tenant_id FROM sandbox_refunds GROUP BY 1 HAVING count(*) = 1"
    assert len(query(database_url, refunds)) == TENANTS
    assert_few_servers(pooler, database_url)


def assert_few_servers(pooler: Pooler, database_url: str) -> None:
    """Far more connections come to the pooler than it has to Postgres; past it go the seven."""
    [pool] = [row for row in pooler.tell("SHOW POOLS") if row["database"].startswith("t_")]
    servers = sum(pool[f"sv_{state}"] for state in ("active", "idle", "used", "tested", "login"))
    assert servers <= SERVERS < pool["cl_active"] + pool["cl_waiting"]
    assert len(query(database_url, CLIENTS)) <= SERVERS + DIRECT


def test_restarted_pooler_is_found_again(stack: Stack, pooler: Pooler, tenant: Tenant) -> None:
    """While it is gone callers are asked to come again; then the first call and a paused run go on.

    Each connection of a pool has broken meanwhile, and none of them is used.
    """
    helpdesk = stack.client(tenant.starter)
    run = helpdesk.start("cus_ann", TWICE)
    pooler.kill()
    refused = helpdesk.http.get(f"/v1/runs/{run['id']}")
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    pooler.start()
    assert helpdesk.http.get(f"/v1/runs/{run['id']}").status_code == 200
    assert approved(stack, tenant, run)["outcome"] == "acted"


def test_pooler_without_a_server_is_a_database_that_is_away(
    stack: Stack, pooler: Pooler, tenant: Tenant
) -> None:
    """No caller waits longer than `query_wait_timeout` for 503; afterwards the run goes on."""
    helpdesk = stack.client(tenant.starter)
    run = helpdesk.start("cus_ann", TWICE)
    pooler.tell("SET query_wait_timeout = 1")
    pooler.tell("PAUSE")
    refused = helpdesk.http.get(f"/v1/runs/{run['id']}")
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    pooler.tell("SET query_wait_timeout = 10")
    pooler.tell("RESUME")
    assert approved(stack, tenant, run)["outcome"] == "acted"
