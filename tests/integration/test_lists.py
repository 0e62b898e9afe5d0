"""Lists over the API: what they leave out, what `expand` adds, and what filters find."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.api import schemas
from app.api.http.dependencies import SCOPES
from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.place import DOCUMENT, Place, client, expect, opened

pytestmark = pytest.mark.no_articles

EXPANDABLE = set(schemas.RunOut.model_fields) - set(schemas.RunSummary.model_fields)


@pytest.fixture
async def place(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """A tenant that no other test uses."""
    async with opened(service, tenant) as place:
        yield place


async def read(place: Place, path: str, **query: Any) -> Any:
    """What a documented GET answers."""
    answer = await place.starter.get(path, params=query)
    DOCUMENT.check(answer)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ids(place: Place, path: str, **query: Any) -> list[str]:
    """The ids on a page."""
    return [item["id"] for item in (await read(place, path, **query))["items"]]


async def test_runs_are_slim_unless_expanded(place: Place) -> None:
    """A list leaves out what may be long; expanded, an item is what the run itself answers."""
    path, _ = await place.paused()
    run_path = path.removesuffix("/resume")
    [slim] = (await read(place, "/v1/runs"))["items"]
    assert not EXPANDABLE & set(slim)
    [some] = (await read(place, "/v1/runs", expand=["plan", "reply"]))["items"]
    assert set(some) - set(slim) == {"plan", "reply"}
    [whole] = (await read(place, "/v1/runs", expand=sorted(EXPANDABLE)))["items"]
    assert whole == await read(place, run_path)
    assert whole["approvals"][0]["answer_schema"]
    thread = await read(place, f"/v1/threads/{slim['ticket_id']}")
    assert thread["runs"] == [slim]


async def test_approvals_and_articles_are_slim_unless_expanded(place: Place) -> None:
    """The same for the other two lists with long items."""
    await place.paused()
    [slim] = (await read(place, "/v1/approvals"))["items"]
    assert {"answer_schema", "newer_messages"}.isdisjoint(slim)
    assert slim["steps"]
    expand = ["answer_schema", "newer_messages"]
    [whole] = (await read(place, "/v1/approvals", expand=expand))["items"]
    assert whole == await read(place, f"/v1/approvals/{slim['id']}")
    article = {"title": "Hours", "content": "Nine to five.", "language": "en"}
    await place.starter.put("/v1/articles/hours", json=article)
    for query in ({}, {"q": "hours"}):
        listed = (await read(place, "/v1/articles", limit=100, **query))["items"]
        assert all("content" not in item for item in listed)
        long = (await read(place, "/v1/articles", limit=100, expand="content", **query))["items"]
        [found] = [item for item in long if item["id"] == "hours"]
        assert found == await read(place, "/v1/articles/hours")


async def test_twenty_runs_are_small(place: Place) -> None:
    """A page of twenty paused runs is below 24 kB, and was 59 kB with each schema in it."""
    for number in range(20):
        run = await place.start(ticket=TICKET | {"id": f"T-{number}"})
        assert run["id"]
    answer = await place.starter.get("/v1/runs", params={"limit": 20})
    assert len(answer.json()["items"]) == 20
    assert len(answer.content) < 24_000


async def test_approvals_are_found_by_run_ticket_and_customer(place: Place) -> None:
    """Each filter alone, and an empty page for what is not there."""
    path, body = await place.paused()
    run = await read(place, path.removesuffix("/resume"))
    mine = [body["approval_id"]]
    for name, value in (
        ("run_id", run["id"]), ("ticket_id", run["ticket_id"]), ("customer_id", run["customer_id"]),
    ):  # fmt: skip
        assert await ids(place, "/v1/approvals", **{name: value}) == mine
        other = run["thread_id"] if name == "run_id" else "other"
        assert await ids(place, "/v1/approvals", **{name: other}) == []
    assert await ids(place, "/v1/approvals", ticket_id=run["ticket_id"], status="expired") == []


async def test_runs_are_found_by_time(place: Place) -> None:
    """From a moment on, and before one; a time without zone, or in words, is 422."""
    run = await place.start()
    at = datetime.fromisoformat(run["created_at"])
    later = (at + timedelta(seconds=1)).isoformat()
    assert await ids(place, "/v1/runs", created_from=run["created_at"]) == [run["id"]]
    assert await ids(place, "/v1/runs", created_from=later) == []
    assert await ids(place, "/v1/runs", created_before=later) == [run["id"]]
    assert await ids(place, "/v1/runs", created_before=run["created_at"]) == []
    for wrong in ("2026-11-22", "2026-11-22T09:00:00", "yesterday", "1700000000", "", later + "x"):
        answer = await place.starter.get("/v1/runs", params={"created_from": wrong})
        expect(answer, "invalid-request")
        assert answer.json()["errors"][0]["pointer"] == "query/created_from"


async def test_key_names_the_person_it_decides_for(place: Place) -> None:
    """Only with the scope for it; the person counts, as approver and as one who started."""
    path, body = await place.paused(required_approvers=2)
    named = {**body, "on_behalf_of": "Emma"}
    async with client(place.service, await place.key("approvals:decide")) as plain:
        expect(await plain.post(path, json=named), "missing-scope")
    async with client(place.service, await place.key(*SCOPES)) as desk:
        for unseen in ("\u200b", "\u3164 \u2800", "\ufe0f", "...", " "):
            refused = await desk.post(path, json={**body, "on_behalf_of": unseen})
            expect(refused, "invalid-request")
            assert refused.json()["errors"][0]["pointer"] == "/on_behalf_of"
        answer = await desk.post(path, json=named)
        DOCUMENT.check(answer)
        [decision] = answer.json()["approvals"][0]["decisions"]
        key = decision["decided_by"]
        assert (key["name"], key["on_behalf_of"]) == ("extra", "Emma")
        # The same person through the same key, whatever the case of the name.
        again = {**named, "on_behalf_of": " EMMA "}
        refused = await desk.post(path, json=again)
        expect(refused, "already-decided")
        assert refused.json()["decision"]["decided_by"] == key
        answer = await desk.post(path, json={**body, "on_behalf_of": "Finn"})
        assert answer.status_code == 202, answer.text
        closed = answer.json()["approvals"][0]
        assert [d["decided_by"]["on_behalf_of"] for d in closed["decisions"]] == ["Emma", "Finn"]
        refused = await desk.post(path, json={**body, "on_behalf_of": "Gus"})
        expect(refused, "already-decided")
        assert refused.json()["decision"]["decided_by"]["on_behalf_of"] == "Finn"


async def test_person_who_started_a_run_is_named_in_vain(place: Place) -> None:
    """A key that may name others cannot decide for the one whose key started the run."""
    path, body = await place.paused()
    async with client(place.service, await place.key(*SCOPES)) as desk:
        expect(await desk.post(path, json={**body, "on_behalf_of": "uma"}), "own-run")


TICKET = {
    "id": "T-1",
    "subject": "Upload",
    "body": "My upload fails with error E42. How do I fix it?",
    "customer": {"id": "cus_max"},
}
