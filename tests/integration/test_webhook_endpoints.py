"""Endpoints get the chosen events of all the tenant's runs, beside a run's own `callback_url`."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest

from app.adapters.webhooks.delivery import Sender
from app.adapters.webhooks.ssrf_guard import make_guard
from app.execution.wiring import Service
from app.services.webhooks.endpoints import MAX_ENDPOINTS
from app.worker.webhook_dispatcher import WebhookDispatcher
from tests.conftest import Tenant
from tests.doubles.receiver import Receiver
from tests.integration.outbox import attempt
from tests.integration.paused import Desk
from tests.integration.place import DOCUMENT, Place, expect, opened

pytestmark = pytest.mark.no_articles

ENDPOINTS = "/v1/webhooks/endpoints"
FINISHED = "run.finished"


@pytest.fixture
async def place(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """A tenant that no other test uses."""
    async with opened(service, tenant) as place:
        yield place


async def add(place: Place, url: str, *events: str) -> Any:
    """An endpoint for these events, or for all."""
    body: dict[str, Any] = {"url": url, **({"events": list(events)} if events else {})}
    answer = await place.starter.post(ENDPOINTS, json=body)
    DOCUMENT.check(answer)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def got(place: Place, endpoint: Any, **query: Any) -> list[Any]:
    """What is noted for an endpoint, newest first."""
    answer = await place.starter.get(
        "/v1/callbacks", params={"endpoint_id": endpoint["id"], **query}
    )
    return list(answer.json()["items"])


@pytest.mark.parametrize("own_url", [None, "https://helpdesk.invalid/own"])
async def test_events_go_to_those_who_chose_them(place: Place, own_url: str | None) -> None:
    """A run that ends at once tells an endpoint too; each target has its own id, one number."""
    every = await add(place, "https://helpdesk.invalid/all")
    ends = await add(place, "https://helpdesk.invalid/ends", FINISHED)
    waits = await add(place, "https://helpdesk.invalid/waits", "run.interrupted")
    if own_url is None:
        run_id = str((await place.done()).id)
    else:
        run = await place.start(callback_url=own_url)
        run_id = run["id"]
        cancelled = await place.starter.post(f"/v1/runs/{run_id}/cancel")
        assert cancelled.status_code == 202
    assert await got(place, waits) == []
    queued = [*await got(place, every), *await got(place, ends)]
    assert [(one["event"], one["run_id"], one["sequence"]) for one in queued] == [
        (FINISHED, run_id, 1), (FINISHED, run_id, 1),
    ]  # fmt: skip
    assert len({one["id"] for one in queued}) == 2
    all_of_run = (await place.starter.get("/v1/callbacks", params={"run_id": run_id})).json()
    assert len(all_of_run["items"]) == (2 if own_url is None else 3)


async def test_pause_and_its_end_are_numbered(place: Place) -> None:
    """The second event of a run is the second for every target."""
    endpoint = await add(place, "https://helpdesk.invalid/all")
    path, _ = await place.paused()
    await place.starter.post(path.replace("resume", "cancel"))
    assert [(one["event"], one["sequence"]) for one in await got(place, endpoint)] == [
        (FINISHED, 2), ("run.interrupted", 1),
    ]  # fmt: skip


async def test_test_event_is_delivered_signed(
    place: Place, service: Service, receiver: Receiver, url: str
) -> None:
    """It needs no run, and its delivery is listed."""
    secret = (await place.starter.post("/v1/webhooks/secrets", json={})).json()["secret"]
    allowed = [ip_network("127.0.0.0/8")]
    async with Sender(make_guard(allowed), 2) as sender:
        dispatcher = WebhookDispatcher(service, sender, asyncio.Event())
        desk = Desk(service.sessions, place.tenant, None)  # type: ignore[arg-type]
        endpoint = await add(place, "https://helpdesk.invalid/all")
        await place.change(
            "UPDATE webhook_endpoints SET url = :url WHERE tenant_id = :tenant", url=url
        )
        answer = await place.starter.post(f"{ENDPOINTS}/{endpoint['id']}/test")
        DOCUMENT.check(answer)
        assert (await attempt(desk, dispatcher)).status == "delivered"
    [delivery] = receiver.deliveries
    assert delivery.verified(secret)["data"] == {"endpoint_id": endpoint["id"]}
    [listed] = await got(place, endpoint, status="delivered")
    assert (listed["event"], listed["run_id"]) == ("webhook.test", None)


async def test_switched_off_endpoint_gets_nothing_until_it_is_on(place: Place) -> None:
    """What comes meanwhile is listed as disabled; a removed one gets nothing."""
    endpoint = await add(place, "https://helpdesk.invalid/all")
    one = f"{ENDPOINTS}/{endpoint['id']}"
    off = await place.starter.patch(one, json={"enabled": False, "events": [FINISHED]})
    assert (off.json()["enabled"], off.json()["events"]) == (False, [FINISHED])
    run = await place.start()
    await place.starter.post(f"/v1/runs/{run['id']}/cancel")
    assert [item["status"] for item in await got(place, endpoint)] == ["disabled"]
    assert (await place.starter.patch(one, json={"enabled": True})).json()["enabled"] is True
    assert (await place.starter.post(f"{one}/test")).json()["status"] == "pending"
    assert (await place.starter.delete(one)).status_code == 204
    expect(await place.starter.post(f"{one}/test"), "not-found")
    assert {item["status"] for item in await got(place, endpoint)} == {"disabled"}


@pytest.mark.parametrize(
    "body",
    [
        {"url": "https://127.0.0.1/"},
        {"url": "https://169.254.169.254/latest"},
        {"url": "https://helpdesk.invalid/", "events": []},
        {"url": "https://helpdesk.invalid/", "events": ["run.started"]},
    ],
)
async def test_forged_target_and_unknown_event_are_refused(place: Place, body: Any) -> None:
    """The guard of `callback_url` holds here too, when one is added and when it is changed."""
    expect(await place.starter.post(ENDPOINTS, json=body), "invalid-request")
    endpoint = await add(place, "https://helpdesk.invalid/all")
    changed = await place.starter.patch(f"{ENDPOINTS}/{endpoint['id']}", json=body)
    expect(changed, "invalid-request")
    [listed] = (await place.starter.get(ENDPOINTS)).json()["items"]
    assert listed == endpoint


async def test_url_is_added_once_and_there_are_not_many(place: Place) -> None:
    """Of eight at the same instant one is stored; the seventeenth is one too many."""
    body = {"url": "https://helpdesk.invalid/0"}
    answers = await asyncio.gather(*(place.starter.post(ENDPOINTS, json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 7
    for number in range(1, MAX_ENDPOINTS):
        await add(place, f"https://helpdesk.invalid/{number}")
    too_many = await place.starter.post(ENDPOINTS, json={"url": "https://helpdesk.invalid/x"})
    expect(too_many, "invalid-request")
    [first, second, *_] = (await place.starter.get(ENDPOINTS)).json()["items"]
    taken = await place.starter.patch(f"{ENDPOINTS}/{first['id']}", json={"url": second["url"]})
    expect(taken, "invalid-request")
