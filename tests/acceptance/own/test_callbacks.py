"""A helpdesk hears of every pause and end, signed, whatever dies on the way."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.own_database import tenant_on
from tests.acceptance.refusals import problem_of
from tests.acceptance.stack import Client, Stack, running, ticket
from tests.doubles.receiver import Receiver

pytestmark = pytest.mark.no_articles

TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
HOURS = "What are your opening hours?"


@pytest.fixture(scope="module")
def stack(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An API that lets callbacks reach this machine; the first test brings its workers."""
    started = Stack(
        database_url,
        Path(tmp_path_factory.mktemp("callbacks")),
        DESKGRAPH_CALLBACK_ALLOW='["127.0.0.0/8"]',
        # A killed worker's delivery is due again after twice that.
        DESKGRAPH_CALLBACK_TIMEOUT_SECONDS="3",
    )
    with running(started):
        started.api()
        yield started


def send(client: Client, url: str, body: str, **headers: str) -> httpx.Response:
    """Start a run with a callback URL."""
    wanted = {**ticket("cus_ann", body), "callback_url": url}
    return client.http.post("/v1/runs", json=wanted, headers=headers)


def test_pause_and_end_arrive_signed_although_a_worker_is_killed(
    stack: Stack, starter: Client, approver: Client, admin: Client, receiver: Receiver, url: str
) -> None:
    """SIGKILL while the receiver has the request: another worker sends the same event again.

    Each says which run it is, how that stands, where to look, and proves its sender.
    """
    secret = admin.http.post("/v1/webhooks/secrets", json={}).json()["secret"]
    receiver.hold.set()
    doomed = stack.worker()
    run = send(starter, url, TWICE).json()
    receiver.until(lambda deliveries: len(deliveries) == 1)
    doomed.kill()
    receiver.hold.clear()
    stack.worker()
    first, second = receiver.until(lambda deliveries: len(deliveries) >= 2)[:2]
    assert (first.id, first.body) == (second.id, second.body)
    assert approver.decide(starter.run(run["id"]), "approve").status_code == 202
    ended = receiver.until(lambda deliveries: deliveries[-1].id != first.id)[-1]

    bodies = [delivery.verified(secret) for delivery in (second, ended)]
    assert [body["type"] for body in bodies] == ["run.interrupted", "run.finished"]
    assert [body["data"]["status"] for body in bodies] == ["interrupted", "success"]
    assert [body["data"]["sequence"] for body in bodies] == [1, 2]
    assert bodies[1]["data"]["outcome"] == "acted"
    approval = approver.http.get(bodies[0]["data"]["links"]["approval"]).json()
    assert (approval["id"], approval["run_id"]) == (bodies[0]["data"]["approval_id"], run["id"])
    oldest = admin.http.get(f"/v1/callbacks?run_id={run['id']}").json()["items"][-1]
    assert (oldest["id"], oldest["status"]) == (first.id, "delivered")
    assert oldest["attempts"] >= 2
    assert oldest["payload"] == json.loads(first.body)


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://[::1]/",
        "https://[64:ff9b::7f00:1]/", "https://2130706433/", "https://u@example.com/",
        "http://1.1.1.1/", "ftp://example.com/", "https://1.1.1.1:25/", "\x7f", "",
    ],
)  # fmt: skip
def test_forbidden_url_is_refused_when_it_comes(stack: Stack, starter: Client, url: str) -> None:
    """With a pointer to it, and no run is started."""
    problem = problem_of(send(starter, url, HOURS), 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/callback_url"]
    assert starter.http.get("/v1/runs").json()["items"] == []


def test_other_url_is_another_request(stack: Stack, starter: Client, url: str) -> None:
    """The Idempotency-Key holds the URL as well."""
    key = {"Idempotency-Key": "once"}
    run = send(starter, url, HOURS, **key).json()
    assert send(starter, url, HOURS, **key).json()["id"] == run["id"]
    problem = problem_of(send(starter, f"{url}?2", HOURS, **key), 422)
    assert problem["code"] == "idempotency-key-reused"


def test_secrets_are_shown_once_and_rotate(admin: Client, starter: Client) -> None:
    """Each has its own text; the list never has it; only an admin gets one."""
    made = [admin.http.post("/v1/webhooks/secrets", json={}).json() for _ in range(2)]
    assert made[0]["secret"] != made[1]["secret"]
    listed = admin.http.get("/v1/webhooks/secrets?limit=1").json()
    assert [item["id"] for item in listed["items"]] == [made[1]["id"]]
    older = admin.http.get(f"/v1/webhooks/secrets?cursor={listed['next_cursor']}").json()["items"]
    assert [item["id"] for item in older] == [made[0]["id"]]
    assert older[0]["expires_at"] is not None
    assert all(item["secret"] is None for item in [*listed["items"], *older])
    wrong: list[Any] = [{"overlap_seconds": -1}, {"overlap_seconds": 1.5}, {"other": 1}, []]
    for refused in wrong:
        problem_of(admin.http.post("/v1/webhooks/secrets", json=refused), 422)
    problem_of(starter.http.post("/v1/webhooks/secrets", json={}), 403)


def test_callbacks_are_the_tenants_own(
    stack: Stack, starter: Client, admin: Client, url: str, other: Client
) -> None:
    """Listed by status, sent again only by their admin; a foreign one does not exist."""
    run = send(starter, url, HOURS).json()
    ended = starter.http.post(f"/v1/runs/{run['id']}/cancel").raise_for_status().json()
    assert starter.run(ended["id"])["status"] in ("cancelled", "success")
    [mine] = admin.http.get("/v1/callbacks").json()["items"]
    assert (mine["run_id"], mine["event"], mine["url"]) == (run["id"], "run.finished", url)
    assert admin.http.get("/v1/callbacks?status=dead").json()["items"] == []
    again = admin.http.post(f"/v1/callbacks/{mine['id']}/resend")
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    assert other.http.get("/v1/callbacks").json()["items"] == []
    problem_of(other.http.post(f"/v1/callbacks/{mine['id']}/resend"), 404)
    problem_of(starter.http.get("/v1/callbacks"), 403)
    problem_of(admin.http.get("/v1/callbacks?status=lost"), 422)


@pytest.fixture
async def other(stack: Stack, database_url: str) -> Client:
    """The admin of another tenant."""
    tenant: Any = await tenant_on(database_url)
    return stack.client(tenant.admin)
