"""The OpenAPI document says what the routes answer: each documented answer is provoked here."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.api.application import create_app
from app.api.http.dependencies import Backend
from app.api.http.pagination import Cursors
from app.db.core.connections import Sessions, make_engine, open_saver_pool
from app.db.runs.queue import enqueue_run
from app.errors import all_errors
from app.execution.wiring import Service
from tests.acceptance.stack import ticket
from tests.conftest import Tenant
from tests.integration.place import (
    CONNECTION,
    DOCUMENT,
    E42,
    OPERATIONS,
    Place,
    bare,
    client,
    expect,
    in_process,
    opened,
    signed,
)
from tests.integration.test_openapi_states import BY_STATE, REPLAY, RESUME

JSON = {"Content-Type": "application/json"}
AGENT = {
    "name": "Mia", "skills": ["billing"], "timezone": "UTC", "opens_hour": 0, "closes_hour": 24,
}  # fmt: skip
PERSON = "I want to speak to a human being, please."


@pytest.fixture
async def place(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """A tenant that no other test uses."""
    async with opened(service, tenant) as place:
        yield place


Provoke = Callable[[Place, str], Awaitable[httpx.Response]]


async def _invalid_url(place: Place, operation: str) -> httpx.Response:
    method, path = bare(operation)
    return await place.starter.request(method, path + "?x=%00")


async def _unauthorized(place: Place, operation: str) -> httpx.Response:
    async with place.caller("dg_0_0") as stranger:
        return await stranger.request(*bare(operation))


async def _missing_scope(place: Place, operation: str) -> httpx.Response:
    async with place.caller(await place.key()) as unscoped:
        return await unscoped.request(*bare(operation))


async def _invalid_json(place: Place, operation: str) -> httpx.Response:
    return await place.starter.request(*bare(operation), content=b"{", headers=JSON)


async def _too_large(place: Place, operation: str) -> httpx.Response:
    body = b" " * (place.service.settings.max_body_bytes + 1)
    return await place.starter.request(*bare(operation), content=body, headers=JSON)


async def _media_type(place: Place, operation: str) -> httpx.Response:
    return await place.starter.request(*bare(operation), content=b"{}")


async def _not_found(place: Place, operation: str) -> httpx.Response:
    ids = ("run_id", "approval_id", "handoff_id", "item_id", "callback_id", "ticket_id",
           "customer_id")  # fmt: skip
    odd = dict.fromkeys(
        (*ids, "article_id", "agent_id", "endpoint_id", "connection_id", "code"), "a%20b"
    )
    if operation == "GET /metrics":
        async with client(place.service, place.tenant.starter, metrics_port=0) as caller:
            return await caller.request(*bare(operation))
    # Where a body is required, one is sent that says nothing.
    body: dict[str, Any] = (
        {"content": b"{}", "headers": JSON} if "/conn" in operation or "PATCH" in operation else {}
    )
    if "/policy/changes" in operation and operation.startswith("POST"):
        body = {"json": {"verdict": "refuse"}}
    return await place.starter.request(*bare(operation, **odd), **body)


async def _invalid_request(place: Place, operation: str) -> httpx.Response:
    return await place.starter.request(*bare(operation), params={"state": "pending"})


async def _invalid_cursor(place: Place, operation: str) -> httpx.Response:
    run = await place.start()
    future = {"cursor": "forged", "after": "9223372036854775807-1"}
    names = [parameter["name"] for parameter in DOCUMENT.operations[operation]["parameters"]]
    sent = {name: value for name, value in future.items() if name in names}
    made = await place.starter.post("/v1/connections", json=CONNECTION)
    known = {"run_id": run["id"], "connection_id": made.json()["id"]}
    return await place.starter.request(*bare(operation, **known), params=sent)


async def _too_many_streams(place: Place, operation: str) -> httpx.Response:
    run = await place.start()
    async with client(place.service, place.tenant.starter, streams_per_tenant=0) as reader:
        return await reader.request(*bare(operation, run_id=run["id"]))


async def _unavailable(place: Place, operation: str) -> httpx.Response:
    if "unavailable" not in place.apps:
        url = place.service.settings.database_url
        assert url is not None
        async with open_saver_pool(url.get_secret_value(), 1) as closed:
            pass
        sessions = Sessions(make_engine("postgresql://unknown@127.0.0.1:1/none", 1), closed)
        backend = Backend(place.service.settings, sessions, enqueue_run, Cursors("x"))
        place.apps["unavailable"] = create_app(backend)
    async with in_process(place.apps["unavailable"], place.tenant.starter) as caller:
        return await caller.request(*bare(operation))


async def _internal(place: Place, operation: str) -> httpx.Response:
    if "internal" not in place.apps:
        backend = Backend(place.service.settings, Sessions(), enqueue_run, Cursors("x"))
        place.apps["internal"] = create_app(backend)
        del place.apps["internal"].state.backend
    async with in_process(place.apps["internal"], place.tenant.starter) as caller:
        return await caller.request(*bare(operation))


BY_SHAPE: dict[str, Provoke] = {
    "invalid-url": _invalid_url,
    "unauthorized": _unauthorized,
    "missing-scope": _missing_scope,
    "invalid-json": _invalid_json,
    "body-too-large": _too_large,
    "unsupported-media-type": _media_type,
    "not-found": _not_found,
    "invalid-request": _invalid_request,
    "invalid-cursor": _invalid_cursor,
    "too-many-streams": _too_many_streams,
    "unavailable": _unavailable,
    "internal": _internal,
}


def documenting(code: str) -> list[str]:
    """The operations that document the code."""
    return [name for name in OPERATIONS if code in {named for _, named in DOCUMENT.codes(name)}]


@pytest.mark.parametrize("code", BY_SHAPE)
async def test_every_route_answers_what_its_shape_documents(place: Place, code: str) -> None:
    """Each operation that documents the code can be brought to answer it."""
    assert documenting(code)
    for operation in documenting(code):
        expect(await BY_SHAPE[code](place, operation), code)


@pytest.mark.parametrize("code", ["unauthorized", "missing-scope", "invalid-json"])
async def test_no_other_route_answers_it(place: Place, code: str) -> None:
    """An operation that does not document the code answers something that it does."""
    for operation in set(OPERATIONS) - set(documenting(code)) - {"GET /v1/events"}:
        answer = await BY_SHAPE[code](place, operation)
        DOCUMENT.check(answer)
        assert answer.status_code < 400 or answer.json()["code"] != code


def test_every_documented_problem_is_provoked() -> None:
    """No operation documents a code that nothing here brings it to answer."""
    documented = {(name, code) for name in OPERATIONS for _, code in DOCUMENT.codes(name)}
    by_shape = {(name, code) for code in BY_SHAPE for name in documenting(code)}
    assert documented == by_shape | set(BY_STATE)


async def test_every_route_succeeds_as_documented(place: Place) -> None:
    """Every operation answers its documented success: status, media type and shape."""
    seen: set[str] = set()

    async def ask(operation: str, at: Any = None, **sent: Any) -> Any:
        seen.add(operation)
        answer = await place.starter.request(*bare(operation, **at or {}), **sent)
        DOCUMENT.check(answer)
        assert answer.status_code < 400, answer.text
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else None

    run = {"run_id": str((await place.done()).id)}
    steps = await ask("GET /v1/runs/{run_id}/steps", run)
    again = {"checkpoint_id": steps["items"][0]["checkpoint_id"], "dry_run": True}
    copy = {"run_id": (await ask(REPLAY, run, json=again))["id"]}
    await ask("GET /v1/runs/{run_id}", run)
    await ask("GET /v1/runs/{run_id}/diff", copy)
    await ask("GET /v1/runs/{run_id}/events", run)
    await ask("GET /v1/threads/{ticket_id}", {"ticket_id": "T-1"})
    rated = {"score": 2, "comment": "That was not my question."}
    await ask("POST /v1/threads/{ticket_id}/feedback", {"ticket_id": "T-1"}, json=rated)

    path, body = await place.paused()
    await ask("GET /v1/approvals")
    await ask("GET /v1/approvals/{approval_id}", {"approval_id": body["approval_id"]})
    seen.add(RESUME)
    DOCUMENT.check(await place.reviewer.post(path, json=body))

    named = ticket("cus_lou", E42) | {"callback_url": "https://helpdesk.invalid/hook"}
    waiting = {"run_id": (await ask("POST /v1/runs", json=named))["id"]}
    await ask("GET /v1/runs")
    await ask("POST /v1/runs/{run_id}/cancel", waiting)
    [callback] = (await ask("GET /v1/callbacks"))["items"]
    await ask("POST /v1/callbacks/{callback_id}/resend", {"callback_id": callback["id"]})
    await ask("POST /v1/webhooks/secrets", json={})
    await ask("GET /v1/webhooks/secrets")
    one = "/v1/webhooks/endpoints/{endpoint_id}"
    named = {"url": "https://helpdesk.invalid/all", "events": ["run.finished"]}
    endpoint = {"endpoint_id": (await ask("POST /v1/webhooks/endpoints", json=named))["id"]}
    await ask("GET /v1/webhooks/endpoints")
    await ask(f"PATCH {one}", endpoint, json={"events": ["run.interrupted"]})
    await ask(f"POST {one}/test", endpoint)
    await ask(f"DELETE {one}", endpoint)

    await place.done(PERSON, ticket="T-2")
    [handoff] = (await ask("GET /v1/handoffs"))["items"]
    await ask("GET /v1/handoffs/{handoff_id}", {"handoff_id": handoff["id"]})
    item, of_item = {"item_id": handoff["id"]}, "/v1/inbox/{item_id}"
    await ask(f"POST {of_item}/claim", item, json={})
    await ask(f"POST {of_item}/snooze", item, json={"seconds": 60})
    await ask(f"GET {of_item}", item)
    await ask(f"POST {of_item}/release", item)
    await ask("POST /v1/handoffs/{handoff_id}/close", {"handoff_id": handoff["id"]})

    for verb in ("takeover", "handback"):
        await ask(f"POST /v1/threads/{{ticket_id}}/{verb}", {"ticket_id": "T-2"})

    article = {"article_id": "opening-hours"}
    content = {"title": "Hours", "content": "9 to 5", "language": "en-GB"}
    await ask("PUT /v1/articles/{article_id}", article, json=content)
    await ask("POST /v1/articles", json={"articles": [{"id": "bulk", **content}]})
    await ask("GET /v1/articles")
    await ask("GET /v1/articles/{article_id}", article)
    await ask("DELETE /v1/articles/{article_id}", article)
    made = await ask("POST /v1/connections", json=CONNECTION)
    of_it = {"connection_id": made["id"]}
    of_one = "/v1/connections/{connection_id}"
    await ask("GET /v1/connections")
    await ask(f"GET {of_one}", of_it)
    await ask(f"PATCH {of_one}", of_it, json={"name": "Desk"})
    await ask(f"POST {of_one}/test", of_it)
    await ask(f"GET {of_one}/deliveries", of_it)
    secret = (await ask(f"POST {of_one}/rotate-secret", of_it, json={}))["hook_secret"]
    hook = b'{"type": "ticket.painted", "data": {"ticket": {"id": "7"}}}'
    await ask("POST /v1/hooks/{connection_id}", of_it, **signed(secret, hook))
    await ask(f"DELETE {of_one}", of_it)
    await ask("POST /v1/events/tokens")
    await ask("GET /v1/policy")
    await ask("PUT /v1/policy", json={"version": 0})
    await ask("PATCH /v1/policy", json={"anger_threshold": 0.9})
    await ask("POST /v1/policy/preview", json={"anger_threshold": 0.5})
    looser = await ask("PATCH /v1/policy", json={"refund_auto_limit": {"USD": 1}})
    change = "/v1/policy/changes/{change_id}"
    await ask(f"GET {change}", {"change_id": looser["id"]})
    await ask(f"POST {change}/decision", {"change_id": looser["id"]}, json={"verdict": "refuse"})
    await ask("GET /v1/policy/changes")
    await ask("GET /v1/audit")
    key = await ask("POST /v1/keys", json={"name": "New", "scopes": ["runs:read"]})
    await ask("GET /v1/keys")
    await ask("DELETE /v1/keys/{key_id}", {"key_id": key["id"]})
    for subject in ("nodes", "runs", "models", "approvals", "answers", "connections"):
        await ask(f"GET /v1/stats/{subject}")
    await ask("GET /v1/me")
    mia = {"agent_id": "ag_mia"}
    await ask("PUT /v1/agents/{agent_id}", mia, json=AGENT)
    await ask("GET /v1/agents")
    await ask("DELETE /v1/agents/{agent_id}", mia)
    spoke = {"text": "I look into it.", "author_name": "Mia"}
    await ask("POST /v1/threads/{ticket_id}/messages", {"ticket_id": "T-1"}, json=spoke)
    await ask("POST /v1/threads/{ticket_id}/close", {"ticket_id": "T-1"})
    await ask("GET /v1/policy/versions")
    await ask("GET /v1/admin/pause")
    await ask("POST /v1/admin/pause", json={"paused": False})
    await ask("DELETE /v1/customers/{customer_id}", {"customer_id": "cus_unknown"})
    for plain in ("/", "/healthz", "/readyz", "/metrics", "/problems/{code}"):
        await ask(f"GET {plain}")
    await ask("GET /", headers={"Accept": "text/html"})
    assert seen == set(OPERATIONS) - {"GET /v1/events"}  # tests/acceptance/test_events.py reads it


def test_codes_of_the_document_are_the_tree_of_errors() -> None:
    """Every code stands in the document, and where it is answered; `conflict` is a family."""
    everywhere = {code for name in OPERATIONS for _, code in DOCUMENT.codes(name)}
    components = DOCUMENT.document["components"]
    outside = {
        code
        for answer in components["responses"].values()
        for code in answer["content"]["application/problem+json"]["examples"]
    }
    tree = {error.code for error in all_errors()}
    assert set(components["schemas"]["Problem"]["properties"]["code"]["enum"]) == tree
    assert everywhere | outside == tree - {"conflict"}
