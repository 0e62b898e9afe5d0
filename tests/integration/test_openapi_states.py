"""What a route answers in one state only, of a run, an approval, a policy or a customer."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.api.http.dependencies import SCOPES
from app.execution.wiring import Service
from tests.acceptance.refusals import NOBODY
from tests.acceptance.stack import ticket
from tests.conftest import Tenant
from tests.integration.place import (
    CONNECTION,
    DOCUMENT,
    E42,
    Place,
    bare,
    client,
    expect,
    opened,
)

pytestmark = pytest.mark.no_articles

PERSON = "I want to speak to a human being, please."
RESUME, REPLAY = "POST /v1/runs/{run_id}/resume", "POST /v1/runs/{run_id}/replay"


@pytest.fixture
async def place(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """A tenant that no other test uses."""
    async with opened(service, tenant) as place:
        yield place


async def _own_run(place: Place) -> httpx.Response:
    path, body = await place.paused()
    return await place.starter.post(path, json=body)


async def _over_limit(place: Place) -> httpx.Response:
    path, body = await place.paused()
    async with client(place.service, await place.key(*SCOPES, limits={})) as poor:
        return await poor.post(path, json=body)


async def _second_approver(place: Place) -> httpx.Response:
    path, body = await place.paused(required_approvers=2)
    DOCUMENT.check(await place.reviewer.post(path, json=body))
    edited = {"verdict": "edit", "steps": [{"id": "refund-pay_1", "args": {"amount_minor": 1}}]}
    return await place.reviewer.post(path, json={**body, **edited})


async def _not_waiting(place: Place) -> httpx.Response:
    path, body = await place.paused()
    DOCUMENT.check(await place.starter.post(path.replace("resume", "cancel")))
    return await place.reviewer.post(path, json=body)


async def _already_decided(place: Place) -> httpx.Response:
    path, body = await place.paused()
    DOCUMENT.check(await place.reviewer.post(path, json=body))
    return await place.reviewer.post(path, json=body)


async def _approval_expired(place: Place) -> httpx.Response:
    path, body = await place.paused()
    await place.change("UPDATE approvals SET expires_at = now() WHERE tenant_id = :tenant")
    return await place.reviewer.post(path, json=body)


async def _stale_digest(place: Place) -> httpx.Response:
    path, body = await place.paused()
    return await place.reviewer.post(path, json={**body, "digest": "0" * 64})


async def _verdict_not_allowed(place: Place) -> httpx.Response:
    path, body = await place.paused(verdicts=["reject"])
    return await place.reviewer.post(path, json=body)


async def _edit_not_allowed(place: Place) -> httpx.Response:
    path, body = await place.paused()
    edit = {"verdict": "edit", "steps": [{"id": "refund-pay_1", "args": {"currency": "EUR"}}]}
    return await place.reviewer.post(path, json={**body, **edit})


async def _run_finished(place: Place) -> httpx.Response:
    return await place.starter.post(f"/v1/runs/{(await place.done()).id}/cancel")


async def _run_not_finished(place: Place) -> httpx.Response:
    run = await place.start()
    body = {"checkpoint_id": NOBODY}
    return await place.starter.post(f"/v1/runs/{run['id']}/replay", json=body)


async def replay(place: Place, run: Any, **headers: str) -> httpx.Response:
    """Replay a run from its first step."""
    steps = (await place.starter.get(f"/v1/runs/{run.id}/steps")).json()["items"]
    body = {"checkpoint_id": steps[0]["checkpoint_id"]}
    return await place.starter.post(f"/v1/runs/{run.id}/replay", json=body, headers=headers)


async def _checkpoint_gone(place: Place) -> httpx.Response:
    run = await place.done()
    await place.change(
        "DELETE FROM checkpoints WHERE thread_id = :thread", thread=str(run.thread_id)
    )
    return await replay(place, run)


async def _replay_key_reused(place: Place) -> httpx.Response:
    DOCUMENT.check(await replay(place, await place.done(), **{"Idempotency-Key": "k"}))
    return await replay(place, await place.done(), **{"Idempotency-Key": "k"})


async def _start_key_reused(place: Place) -> httpx.Response:
    for body in (E42, PERSON):
        sent = ticket("cus_lou", body)
        answer = await place.starter.post("/v1/runs", json=sent, headers={"Idempotency-Key": "k"})
        DOCUMENT.check(answer)
    return answer


async def _stale_version(place: Place) -> httpx.Response:
    return await place.starter.put("/v1/policy", json={"version": 7})


async def _stale_change(place: Place) -> httpx.Response:
    return await place.starter.patch("/v1/policy", json={"version": 7})


async def _stale_preview(place: Place) -> httpx.Response:
    return await place.starter.post("/v1/policy/preview", json={"version": 7})


async def _grant_not_held(place: Place) -> httpx.Response:
    async with place.caller(await place.key("admin")) as admin:
        return await admin.post("/v1/keys", json={"name": "New", "scopes": ["runs:read"]})


async def _no_condition(place: Place) -> httpx.Response:
    return await place.starter.put("/v1/policy", json={})


async def _other_message(place: Place) -> httpx.Response:
    await place.start()
    key = {"Idempotency-Key": "m-1"}
    path = "/v1/threads/T-1/messages"
    DOCUMENT.check(await place.starter.post(path, json={"text": "Hello"}, headers=key))
    return await place.starter.post(path, json={"text": "Other"}, headers=key)


async def _customer_has_live_runs(place: Place) -> httpx.Response:
    await place.start()
    return await place.starter.delete("/v1/customers/cus_max")


async def _hook_not_signed(place: Place) -> httpx.Response:
    made = (await place.starter.post("/v1/connections", json=CONNECTION)).json()
    return await place.starter.post(made["hook_path"], json={})


def _without_key(operation: str, body: Any = None) -> Callable[[Place], Awaitable[httpx.Response]]:
    async def provoke(place: Place) -> httpx.Response:
        made = (await place.starter.post("/v1/connections", json=CONNECTION)).json()
        method, path = bare(operation, connection_id=made["id"])
        async with client(place.service, await place.key(*SCOPES), encryption_keys=[]) as keyless:
            return await keyless.request(method, path, json=body)

    return provoke


async def _stripe(place: Place) -> httpx.Response:
    provider = {
        "kind": "stripe",
        "name": "Stripe",
        "credentials": {"api_key": "rk_test_51DeskgraphDouble"},
    }
    return await place.starter.post("/v1/connections", json=provider)


async def _payments_connected(place: Place) -> httpx.Response:
    DOCUMENT.check(await _stripe(place))
    return await _stripe(place)


async def _connection_in_use(place: Place) -> httpx.Response:
    provider = await _stripe(place)
    await place.paused()
    await place.change(
        "INSERT INTO ledger (tenant_id, key, run_id, customer_id, tool, args, status,"
        " connection_id) SELECT runs.tenant_id, 'refund:x', runs.id, runs.customer_id,"
        " 'refund_payment', '{}', 'started', connections.id FROM runs, connections"
        " WHERE runs.tenant_id = :tenant AND connections.tenant_id = :tenant"
    )
    return await place.starter.delete(f"/v1/connections/{provider.json()['id']}")


CHANGES = "/v1/policy/changes"
DECIDE = f"POST {CHANGES}/{{change_id}}/decision"


LOOSE = {"refund_auto_limit": {"USD": 1}}


async def _ask(place: Place) -> str:
    """One of two admins asks for a looser policy; where the other one decides it."""
    asked = await place.starter.patch("/v1/policy", json=LOOSE)
    DOCUMENT.check(asked)
    assert asked.status_code == 202
    return f"{CHANGES}/{asked.json()['id']}/decision"


async def _second_admin(place: Place) -> httpx.Response:
    return await place.starter.post(await _ask(place), json={"verdict": "confirm"})


async def _change_closed(place: Place) -> httpx.Response:
    path = await _ask(place)
    DOCUMENT.check(await place.reviewer.post(path, json={"verdict": "confirm"}))
    return await place.reviewer.post(path, json={"verdict": "confirm"})


async def _policy_changed(place: Place) -> httpx.Response:
    path = await _ask(place)
    DOCUMENT.check(await place.starter.patch("/v1/policy", json={"anger_threshold": 0.1}))
    return await place.reviewer.post(path, json={"verdict": "confirm"})


async def _change_expired(place: Place) -> httpx.Response:
    path = await _ask(place)
    await place.change("UPDATE policy_changes SET expires_at = now() WHERE tenant_id = :tenant")
    return await place.reviewer.post(path, json={"verdict": "confirm"})


ONE = "/v1/connections/{connection_id}"


async def _already_claimed(place: Place) -> httpx.Response:
    _, body = await place.paused()
    path = f"/v1/inbox/{body['approval_id']}/claim"
    DOCUMENT.check(await place.starter.post(path, json={}))
    return await place.reviewer.post(path, json={})


BY_STATE: dict[tuple[str, str], Callable[[Place], Awaitable[httpx.Response]]] = {
    (RESUME, "own-run"): _own_run,
    (RESUME, "over-limit"): _over_limit,
    (RESUME, "second-approver-needed"): _second_approver,
    (RESUME, "not-waiting"): _not_waiting,
    (RESUME, "already-decided"): _already_decided,
    (RESUME, "approval-expired"): _approval_expired,
    (RESUME, "stale-digest"): _stale_digest,
    (RESUME, "verdict-not-allowed"): _verdict_not_allowed,
    (RESUME, "edit-not-allowed"): _edit_not_allowed,
    ("POST /v1/runs/{run_id}/cancel", "run-finished"): _run_finished,
    (REPLAY, "run-not-finished"): _run_not_finished,
    (REPLAY, "checkpoint-gone"): _checkpoint_gone,
    (REPLAY, "idempotency-key-reused"): _replay_key_reused,
    ("POST /v1/runs", "idempotency-key-reused"): _start_key_reused,
    ("PUT /v1/policy", "stale-version"): _stale_version,
    ("PATCH /v1/policy", "stale-version"): _stale_change,
    ("POST /v1/policy/preview", "stale-version"): _stale_preview,
    ("PUT /v1/policy", "precondition-required"): _no_condition,
    ("POST /v1/keys", "grant-not-held"): _grant_not_held,
    ("POST /v1/threads/{ticket_id}/messages", "idempotency-key-reused"): _other_message,
    ("POST /v1/hooks/{connection_id}", "hook-not-signed"): _hook_not_signed,
    ("POST /v1/hooks/{connection_id}", "encryption-not-set-up"): _without_key(
        "POST /v1/hooks/{connection_id}", {}
    ),
    ("POST /v1/inbox/{item_id}/claim", "already-claimed"): _already_claimed,
    ("POST /v1/connections", "payments-connected"): _payments_connected,
    ("POST /v1/connections", "encryption-not-set-up"): _without_key(
        "POST /v1/connections", CONNECTION
    ),
    (f"PATCH {ONE}", "encryption-not-set-up"): _without_key(f"PATCH {ONE}", {"credentials": {}}),
    (f"DELETE {ONE}", "connection-in-use"): _connection_in_use,
    (f"POST {ONE}/test", "encryption-not-set-up"): _without_key(f"POST {ONE}/test"),
    (f"POST {ONE}/rotate-secret", "encryption-not-set-up"): _without_key(
        f"POST {ONE}/rotate-secret", {}
    ),
    (DECIDE, "second-admin-needed"): _second_admin,
    (DECIDE, "policy-change-closed"): _change_closed,
    (DECIDE, "policy-changed"): _policy_changed,
    (DECIDE, "policy-change-expired"): _change_expired,
    ("DELETE /v1/customers/{customer_id}", "customer-has-live-runs"): _customer_has_live_runs,
}


@pytest.mark.parametrize(("operation", "code"), BY_STATE)
async def test_route_answers_what_it_documents(place: Place, operation: str, code: str) -> None:
    """What depends on the state of a run, an approval, a policy or a customer."""
    answer = await BY_STATE[operation, code](place)
    expect(answer, code)
    assert (answer.status_code, code) in DOCUMENT.codes(operation)
