"""Event streams over HTTP: what they tell, where they go on, what they refuse, what they cost."""

import socket

import httpx
import psycopg
import pytest

from app.db.core.connections import Sessions
from tests.acceptance.refusals import expect_refused
from tests.acceptance.stack import Client, Stack
from tests.acceptance.streams import Follower, follow
from tests.acceptance.waiting import HOURS, TWICE, until
from tests.conftest import Tenant, make_tenant
from tests.tls import TLS

pytestmark = pytest.mark.no_articles


def metric(stack: Stack, name: str) -> float:
    """A number from /metrics."""
    lines = httpx.get(f"{stack.url}/metrics", timeout=60, verify=TLS).text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


def test_stream_of_a_run_tells_its_life_and_ends(starter: Client, approver: Client) -> None:
    """From the beginning, live over the pause, and again from any event; then `end`."""
    run = starter.start("cus_ann", TWICE)
    path = f"/v1/runs/{run['id']}/events"
    stream, seen = follow(starter.http, path), []
    for event in stream:
        seen.append(event)
        if event.type == "approval.opened":
            approver.decide(run, "approve")
    types = [event.type for event in seen]
    kept = [type_ for type_ in types if type_ != "step.finished"]
    assert kept == [
        "run.created", "run.started", "run.interrupted", "approval.opened", "approval.decided",
        "run.resumed", "run.started", "effect.done", "reply.sent", "run.finished", "end",
    ]  # fmt: skip
    nodes = [event.body["data"]["node"] for event in seen if event.type == "step.finished"]
    assert {"classify", "billing", "plan", "act", "send"} <= set(nodes)
    assert seen[-2].body["data"]["outcome"] == "acted"
    assert {event.body["run_id"] for event in seen[:-1]} == {run["id"]}
    middle = len(seen) // 2
    assert list(follow(starter.http, path, seen[middle].id)) == seen[middle + 1 :]
    assert list(follow(starter.http, f"{path}?after={seen[middle].id}")) == seen[middle + 1 :]
    assert [event.type for event in follow(starter.http, path, seen[-2].id)] == ["end"]


def test_headers_keep_proxies_from_holding_a_stream_back(starter: Client) -> None:
    """Neither stored nor buffered."""
    with starter.http.stream("GET", "/v1/events") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Accel-Buffering"] == "no"
        assert next(answer.iter_lines()).startswith("retry: ")


@pytest.mark.parametrize(
    "last", ["x", "", "7", "-1-2", "1-2-3", "1-99999999999999999999", "9" * 19 + "-1", "٣-٣"]
)
def test_id_that_no_event_had_is_refused(starter: Client, last: str) -> None:
    """422 in the header and in the query, not a stream that stays silent."""
    headers = [(b"Last-Event-ID", last.encode())]
    for answer in (
        starter.http.get("/v1/events", headers=headers),
        starter.http.get("/v1/events", params={"after": last}),
    ):
        assert answer.status_code == 422
        assert answer.json()["code"] in ("invalid-request", "invalid-cursor")


async def test_tenant_sees_its_own_events_only(
    stack: Stack, starter: Client, tenant: Tenant, sessions: Sessions
) -> None:
    """From now on, over all runs; another tenant's stay hidden, on both streams."""
    async with sessions.begin() as session:
        other = stack.client((await make_tenant(session, articles=False)).starter)
    followers = [Follower(stack.url, tenant.starter, "/v1/events") for _ in range(2)]
    assert all(follower.open.wait(60) for follower in followers)
    foreign = other.start("cus_lou", HOURS)
    own = [starter.start("cus_lou", HOURS, f"T-{n}")["id"] for n in range(2)]

    def ended(follower: Follower) -> bool:
        return sum(seen.type == "run.finished" for seen in follower.events) == 2

    until(lambda: all(map(ended, followers)))
    for follower in followers:
        follower.stop()
        assert {seen.body["run_id"] for seen in follower.events} == set(own)
    assert [seen.id for seen in followers[0].events] == [seen.id for seen in followers[1].events]
    path = f"/v1/runs/{foreign['id']}/events"
    expect_refused(starter.http.get(path), 404, "not-found")


# Events of the tenant, of 3 kB each.
FLOOD = (
    "INSERT INTO events (tenant_id, run_id, type, data) SELECT %s,"
    " gen_random_uuid(), 'run.created', jsonb_build_object('pad', repeat('x', 3000))"
    " FROM generate_series(1, %s)"
)


def test_reader_that_stands_still_is_dropped(stack: Stack, tenant: Tenant) -> None:
    """It takes nothing while a flood comes: its queue ends, and others are served."""
    host, port = stack.url.removeprefix("http://").split(":")
    key, before = tenant.starter, metric(stack, "deskgraph_event_streams_dropped_total")
    with socket.socket() as still:
        still.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        still.settimeout(60)
        still.connect((host, int(port)))
        request = f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n"
        still.sendall(request.encode())
        received = still.recv(12)
        assert received == b"HTTP/1.1 200"
        follower = Follower(stack.url, key, "/v1/events")
        assert follower.open.wait(60)
        with psycopg.connect(stack.env["DESKGRAPH_DATABASE_URL"], autocommit=True) as connection:
            # A stream that opens during the flood reads it from the table, by no queue.
            connection.execute(FLOOD, [tenant.id, 1])
            while b"run.created" not in received:
                received += still.recv(4096)
            until(lambda: len(follower.events) == 1)
            connection.execute(FLOOD, [tenant.id, 4000])
        until(lambda: len(follower.events) == 4001, 60)
        until(lambda: metric(stack, "deskgraph_event_streams_dropped_total") > before, 60)
    follower.stop()
    assert len({seen.id for seen in follower.events}) == 4001
