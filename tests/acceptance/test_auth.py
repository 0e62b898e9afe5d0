"""Keys and scopes: every route asks for a live key that holds its scope."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.api.http.dependencies import SCOPES
from app.db.core.connections import Sessions
from app.db.tenants.queries import revoke_key
from tests.acceptance.in_process import InProcess
from tests.acceptance.refusals import NOBODY, Callers, expect_refused, make_callers
from tests.acceptance.stack import Stack, ticket
from tests.tls import TLS

TICKET = ticket("cus_lou", "What are your opening hours?")
DECISION = {"approval_id": NOBODY, "digest": "0" * 64, "verdict": "approve"}
ARTICLES = {"articles": [{"id": "bulk", "title": "T", "content": "c"}]}
AGENT = {"name": "Mia", "skills": ["billing"], "timezone": "UTC", "opens_hour": 0, "closes_hour": 0}
ANY_KEY = {*SCOPES, "none"}
ARTICLE = {"title": "T", "content": "c"}
CONNECTION = {"kind": "webhook", "name": "Own", "settings": {"url": "https://127.0.0.1:1/in"}}

REPLAY = {"checkpoint_id": "1f1e6241-e46b-61b7-8000-910572b07780"}
# Method, address, body, the scopes of which one is enough, and the answer to a key that has it.
Route = tuple[str, str, Any, set[str], int]
ROUTES: list[Route] = [
    ("POST", "/v1/runs", TICKET, {"runs:write"}, 202),
    ("GET", "/v1/runs", None, {"runs:read"}, 200),
    ("GET", "/v1/runs/{run_id}", None, {"runs:read"}, 404),
    ("GET", "/v1/runs/{run_id}/steps", None, {"runs:read"}, 404),
    ("GET", "/v1/runs/{run_id}/events", None, {"runs:read"}, 404),
    ("GET", "/v1/stats/nodes", None, {"runs:read"}, 200),
    ("GET", "/v1/stats/models", None, {"runs:read"}, 200),
    ("GET", "/v1/stats/runs", None, {"runs:read"}, 200),
    ("GET", "/v1/stats/answers", None, {"runs:read"}, 200),
    ("GET", "/v1/stats/approvals", None, {"runs:read"}, 200),
    ("GET", "/v1/stats/connections", None, {"runs:read"}, 200),
    ("POST", "/v1/events/tokens", None, {"runs:read"}, 201),
    ("GET", "/v1/events", None, {"runs:read"}, 200),
    ("POST", "/v1/runs/{run_id}/resume", DECISION, {"approvals:decide"}, 404),
    ("POST", "/v1/runs/{run_id}/cancel", None, {"runs:write"}, 404),
    ("POST", "/v1/runs/{run_id}/replay", REPLAY, {"runs:write"}, 404),
    ("GET", "/v1/runs/{run_id}/diff", None, {"runs:read"}, 404),
    ("GET", "/v1/threads/{ticket_id}", None, {"runs:read"}, 404),
    ("GET", "/v1/approvals", None, {"approvals:decide", "runs:read"}, 200),
    ("GET", "/v1/approvals/{approval_id}", None, {"approvals:decide", "runs:read"}, 404),
    ("GET", "/v1/policy", None, {"admin", "approvals:decide"}, 200),
    ("PUT", "/v1/policy", {"version": 0}, {"admin"}, 200),
    ("PATCH", "/v1/policy", {}, {"admin"}, 200),
    ("POST", "/v1/policy/preview", {}, {"admin"}, 200),
    ("GET", "/v1/policy/versions", None, {"admin", "approvals:decide"}, 200),
    ("GET", "/v1/policy/changes", None, {"admin", "approvals:decide"}, 200),
    ("GET", "/v1/policy/changes/{change_id}", None, {"admin", "approvals:decide"}, 404),
    ("POST", "/v1/policy/changes/{change_id}/decision", {"verdict": "refuse"}, {"admin"}, 404),
    ("GET", "/v1/audit", None, {"admin"}, 200),
    ("GET", "/v1/admin/pause", None, {"admin"}, 200),
    ("POST", "/v1/admin/pause", {"paused": False}, {"admin"}, 200),
    ("PUT", "/v1/articles/{article_id}", ARTICLE, {"articles:write"}, 200),
    ("POST", "/v1/articles", ARTICLES, {"articles:write"}, 200),
    ("GET", "/v1/articles", None, {"articles:write", "runs:read"}, 200),
    ("GET", "/v1/articles/{article_id}", None, {"articles:write", "runs:read"}, 404),
    ("DELETE", "/v1/articles/{article_id}", None, {"articles:write"}, 404),
    ("GET", "/v1/handoffs", None, {"approvals:decide", "runs:read"}, 200),
    ("GET", "/v1/handoffs/{handoff_id}", None, {"approvals:decide", "runs:read"}, 404),
    ("GET", "/v1/inbox/{item_id}", None, {"approvals:decide", "runs:read"}, 404),
    ("POST", "/v1/inbox/{item_id}/claim", {}, {"approvals:decide"}, 404),
    ("POST", "/v1/inbox/{item_id}/release", None, {"approvals:decide"}, 404),
    ("POST", "/v1/inbox/{item_id}/snooze", {"seconds": 60}, {"approvals:decide"}, 404),
    ("POST", "/v1/handoffs/{handoff_id}/close", None, {"approvals:decide"}, 404),
    ("POST", "/v1/threads/{ticket_id}/takeover", {}, {"approvals:decide"}, 200),
    ("POST", "/v1/threads/{ticket_id}/feedback", {"score": 5}, {"runs:write"}, 404),
    ("POST", "/v1/threads/{ticket_id}/handback", None, {"approvals:decide"}, 200),
    ("POST", "/v1/threads/{ticket_id}/messages", {"text": "x"}, {"approvals:decide"}, 404),
    ("POST", "/v1/threads/{ticket_id}/close", None, {"approvals:decide"}, 404),
    ("GET", "/v1/agents", None, {"admin", "approvals:decide", "runs:read"}, 200),
    ("PUT", "/v1/agents/{agent_id}", AGENT, {"admin"}, 200),
    ("DELETE", "/v1/agents/{agent_id}", None, {"admin"}, 404),
    ("POST", "/v1/keys", {"name": "Ann", "scopes": ["admin"]}, {"admin"}, 201),
    ("GET", "/v1/keys", None, {"admin"}, 200),
    ("DELETE", "/v1/keys/{key_id}", None, {"admin"}, 404),
    ("GET", "/v1/me", None, ANY_KEY, 200),
    ("DELETE", "/v1/customers/{customer_id}", None, {"admin"}, 200),
    ("GET", "/v1/callbacks", None, {"admin"}, 200),
    ("POST", "/v1/callbacks/{callback_id}/resend", None, {"admin"}, 404),
    ("GET", "/v1/webhooks/secrets", None, {"admin"}, 200),
    ("POST", "/v1/webhooks/secrets", {}, {"admin"}, 201),
    ("GET", "/v1/webhooks/endpoints", None, {"admin"}, 200),
    ("POST", "/v1/webhooks/endpoints", {"url": "https://127.0.0.1:1/in"}, {"admin"}, 201),
    ("PATCH", "/v1/webhooks/endpoints/{endpoint_id}", {}, {"admin"}, 404),
    ("DELETE", "/v1/webhooks/endpoints/{endpoint_id}", None, {"admin"}, 404),
    ("POST", "/v1/webhooks/endpoints/{endpoint_id}/test", None, {"admin"}, 404),
    ("POST", "/v1/connections", CONNECTION, {"admin"}, 201),
    ("GET", "/v1/connections", None, {"admin"}, 200),
    ("GET", "/v1/connections/{connection_id}", None, {"admin"}, 404),
    ("PATCH", "/v1/connections/{connection_id}", {}, {"admin"}, 404),
    ("DELETE", "/v1/connections/{connection_id}", None, {"admin"}, 404),
    ("POST", "/v1/connections/{connection_id}/test", None, {"admin"}, 404),
    ("POST", "/v1/connections/{connection_id}/rotate-secret", {}, {"admin"}, 404),
    ("GET", "/v1/connections/{connection_id}/deliveries", None, {"admin"}, 404),
]
# Signed by its connection's secret: tests/acceptance/test_connected_desk.py.
SIGNED = ("POST", "/v1/hooks/{connection_id}")
IDS = [f"{method} {path}" for method, path, *_ in ROUTES]


@pytest.fixture(scope="module")
async def callers(in_process: InProcess, sessions: Sessions, database_url: str) -> Callers:
    """The tenant of this file."""
    return await make_callers(in_process, sessions, database_url)


@pytest.fixture(scope="module")
async def by_scope(callers: Callers) -> dict[str, str]:
    """A key for each scope that holds nothing else, and one for all scopes together."""
    keys = {scope: await callers.key(scope) for scope in SCOPES}
    return {**keys, "none": await callers.key()}


@pytest.fixture(scope="module")
def stranger(in_process: InProcess) -> Iterator[httpx.Client]:
    """Who shows only the keys that a test gives."""
    with in_process.anonymous() as client:
        yield client


@pytest.fixture(scope="module")
def socket(stack: Stack) -> Iterator[httpx.Client]:
    """The same over a socket, where a stream can be left before its end."""
    with httpx.Client(base_url=stack.url, verify=TLS, timeout=30) as client:
        yield client


def call(client: httpx.Client, route: Route, headers: Any) -> httpx.Response:
    """Make the route's call about something that does not exist."""
    method, path, body, *_ = route
    names = ("run_id", "ticket_id", "approval_id", "handoff_id", "customer_id", "callback_id",
             "connection_id", "endpoint_id", "key_id", "item_id", "change_id")  # fmt: skip
    ids = {name: NOBODY for name in names}
    url = path.format(**ids, article_id=f"article-for-{method}", agent_id=f"agent-for-{method}")
    with client.stream(method, url, json=body, headers=headers) as answer:
        if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
            answer.read()
    return answer


def test_every_route_is_in_the_table(socket: httpx.Client) -> None:
    """A new route cannot miss the tests below."""
    paths = socket.get("/openapi.json").json()["paths"]
    served = {
        (method.upper(), path)
        for path, methods in paths.items()
        if path.startswith("/v1/")
        for method in methods
    }
    assert served == {(method, path) for method, path, *_ in ROUTES} | {SIGNED}


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_route_without_a_key_is_401(callers: Callers, stranger: httpx.Client, route: Route) -> None:
    """401 with the scheme that would be accepted."""
    with callers.books.unchanged():
        answer = call(stranger, route, {})
        expect_refused(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_route_asks_for_its_scope(
    callers: Callers,
    stranger: httpx.Client,
    socket: httpx.Client,
    by_scope: dict[str, str],
    route: Route,
) -> None:
    """403 missing-scope for every key without the scope, the admin's included."""
    enough, status = route[3], route[4]
    with callers.books.unchanged():
        for scope in [*SCOPES, "none"]:
            if scope not in enough:
                headers = {"Authorization": f"Bearer {by_scope[scope]}"}
                problem = expect_refused(call(stranger, route, headers), 403, "missing-scope")
                assert all(needed in problem["detail"] for needed in enough)
    for scope in enough:
        answer = call(socket, route, {"Authorization": f"Bearer {by_scope[scope]}"})
        assert answer.status_code == status, answer.text
        if status == 202:  # the next test watches a tenant where nothing moves
            callers.starter.run(answer.json()["id"])


def strange_headers(key: str) -> list[bytes]:
    """Authorization headers that are almost, or not at all, the one of this key."""
    _, key_id, secret = key.split("_", 2)
    tokens = [
        "", "x", "dg", "dg_", "dg__", "dg___", f"dg_{key_id}", f"dg_{key_id}_", "a" * 9999,
        f"{key_id}_{secret}", f"dg__{secret}", f"DG_{key_id}_{secret}", f"{key} {key}",
        f"dg_{key_id}_{secret}x", f"dg_{key_id}_{secret[:-1]}", f"dg_{key_id}_{secret.swapcase()}",
        f"dg_{key_id.upper()}X_{secret}", f"dg_{'0' * 12}_{secret}", f"dg_' OR 1=1 --_{secret}",
        f"dg_%_{secret}", f"dg_{'a' * 30_000}_{'b' * 30_000}", f"dg_{key_id}%00_{secret}",
        f"dg_\\x00{key_id}_{secret}",
    ]  # fmt: skip
    raw = [
        b"", b"Bearer", b"bearer:", b"Basic " + key.encode(), b"Token " + key.encode(),
        key.encode(), b"Bearer\xc2\xa0" + key.encode(), b"\xff\xfe\xfd", b"Bearer \xff\xfe",
        b"Bearer dg_\xff_\xff", b"Bearer " + f"dg_{key_id}_".encode() + b"\xff" * 40,
        "Bearer dg_\u0663\u0664_x".encode(), b"Bearer " + key.encode() + b"\xff",
    ]  # fmt: skip
    return [*(f"Bearer {token}".encode().rstrip() for token in tokens), *raw]


def test_strange_authorization_is_401(callers: Callers, stranger: httpx.Client) -> None:
    """All the same answer, so that it does not show which part was right."""
    problems = set()
    with callers.books.unchanged():
        for header in strange_headers(callers.tenant.starter):
            answer = stranger.get("/v1/runs", headers={b"Authorization": header})
            problem = expect_refused(answer, 401, "unauthorized")
            assert answer.headers["WWW-Authenticate"] == "Bearer", header
            problems.add(tuple(problem.items()))
    assert len(problems) == 1


def test_secret_of_one_key_does_not_open_another(callers: Callers, stranger: httpx.Client) -> None:
    """Id and secret belong together."""
    [dg, key_id, _], [_, _, secret] = (
        key.split("_", 2) for key in (callers.tenant.approver, callers.tenant.starter)
    )
    headers = {"Authorization": f"Bearer {dg}_{key_id}_{secret}"}
    expect_refused(stranger.get("/v1/approvals", headers=headers), 401, "unauthorized")


def test_scheme_is_read_in_any_case(callers: Callers, stranger: httpx.Client) -> None:
    """RFC 9110, 11.1: the scheme's name is case-insensitive."""
    for scheme in ("bearer", "BEARER", "bEaReR"):
        headers = {"Authorization": f"{scheme} {callers.tenant.starter}"}
        assert stranger.get("/v1/runs", headers=headers).status_code == 200


async def test_revoked_key_is_worthless_at_once(callers: Callers) -> None:
    """The next request is refused, also on a connection that is open."""
    key = await callers.key("runs:read", "runs:write")
    client = callers.api.client(key)
    assert client.http.get("/v1/runs").status_code == 200
    async with callers.sessions.begin() as session:
        assert await revoke_key(session, callers.tenant.id, key.split("_")[1])
    with callers.books.unchanged():
        expect_refused(client.http.get("/v1/runs"), 401, "unauthorized")
        expect_refused(client.http.post("/v1/runs", json=TICKET), 401, "unauthorized")
