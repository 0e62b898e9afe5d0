"""Event streams over processes that come and go, and five hundred of them on one."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.acceptance.stack import Stack, running
from tests.acceptance.streams import Follower
from tests.acceptance.test_events import metric
from tests.acceptance.waiting import HOURS, until
from tests.conftest import Tenant

# More than ten times the connections of the API; `make thorough` opens all.
FEW, ALL = 120, 500
RUNS = 12


@pytest.fixture(scope="module")
def stack(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A worker, and an API whose pool has ten connections."""
    folder = Path(tmp_path_factory.mktemp("events"))
    with running(Stack(database_url, folder, DESKGRAPH_POOL_SIZE="5")) as started:
        started.worker()
        started.api()
        yield started


def stored(database_url: str, tenant: Tenant) -> list[str]:
    """The ids of the tenant's events in the order of the stream."""
    with psycopg.connect(database_url) as connection:
        query = "SELECT txid, seq FROM events WHERE tenant_id = %s ORDER BY txid, seq"
        return [f"{txid}-{seq}" for txid, seq in connection.execute(query, [tenant.id])]


def test_hundreds_of_idle_listeners_hold_no_connection(
    stack: Stack, tenant: Tenant, database_url: str, *, thorough: bool
) -> None:
    """With all of them open the API answers, each hears of the next run, and all are let go."""
    host, port = stack.url.removeprefix("http://").split(":")
    request = (
        f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tenant.starter}\r\n\r\n"
    )
    listeners = []
    opened = ALL if thorough else FEW
    for _ in range(opened):
        listener = socket.create_connection((host, int(port)), timeout=60)
        listener.sendall(request.encode())
        listeners.append(listener)
    until(lambda: metric(stack, "deskgraph_event_streams") == opened, 60)
    with psycopg.connect(database_url) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        [[connections]] = connection.execute(query)
    # The API's ten, those of the worker, and this one.
    assert connections <= 10 + 3 + 10 + 3 + 4 + 1 + 1

    run = stack.client(tenant.starter).start("cus_lou", HOURS, wait=30)
    assert run["status"] == "success"
    for listener in listeners:
        heard = b""
        while b"event: run.finished" not in heard:
            heard += (piece := listener.recv(65536))
            assert piece, heard
        listener.close()
    until(lambda: metric(stack, "deskgraph_event_streams") == 0)


def test_stream_goes_on_at_another_api_without_gap_or_double(
    stack: Stack, tenant: Tenant, database_url: str
) -> None:
    """One API is stopped and one killed while runs flow; the reader misses nothing."""
    follower = Follower(stack.url, tenant.starter, "/v1/events")
    assert follower.open.wait(20)
    serving, runs = stack.processes[-1], []
    for round_ in range(3):
        client = stack.client(tenant.starter)
        for n in range(RUNS // 3):
            name = f"c-{round_}-{n}"
            runs.append(client.start(name, HOURS, f"T-{name}", wait=0)["id"])
        until(lambda: follower.events)
        if round_ < 2:
            older, serving = serving, stack.api()
            follower.url = stack.url
            if round_ == 0:
                assert older.stop() == 0, "open streams are closed within the grace"
            else:
                older.kill()

    def ended() -> bool:
        return sum(event.type == "run.finished" for event in follower.events) == RUNS

    until(ended, 60)
    follower.stop()
    assert [event.id for event in follower.events] == stored(database_url, tenant)
    assert follower.connections == 3


def test_stream_of_a_revoked_key_is_refused_when_it_comes_again(
    stack: Stack, tenant: Tenant, database_url: str
) -> None:
    """Auth is checked at every open; for those that are open see tests/integration/test_streams."""
    with psycopg.connect(database_url) as connection:
        query = "UPDATE api_keys SET revoked_at = now() WHERE id = %s"
        connection.execute(query, [tenant.starter.split("_")[1]])
    headers = {"Authorization": f"Bearer {tenant.starter}"}
    assert httpx.get(f"{stack.url}/v1/events", headers=headers).status_code == 401
