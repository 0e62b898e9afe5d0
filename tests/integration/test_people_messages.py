"""What a person wrote and that a ticket is closed, as a helpdesk of its own says it over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from app.adapters.effects.ledger import PostgresLedger
from app.db.core.connections import Sessions
from app.db.effects.takeovers import lock_thread
from app.db.runs.queue import enqueue_run
from app.execution.wiring import Service
from app.services.runs import start_and_cancel
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.place import DOCUMENT, Place, expect, opened
from tools.errors import RunLostError
from tools.ledger import Call

pytestmark = pytest.mark.no_articles
WAITING = text("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
THREAD = "/v1/threads/T-1"
MESSAGES, CLOSE = f"{THREAD}/messages", f"{THREAD}/close"


@pytest.fixture
async def place(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """A tenant that no other test uses."""
    async with opened(service, tenant) as place:
        yield place


async def say(place: Place, key: str | None = None, **body: Any) -> Any:
    """A person writes on T-1."""
    headers = {"Idempotency-Key": key} if key else {}
    answer = await place.starter.post(MESSAGES, json=body, headers=headers)
    DOCUMENT.check(answer)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def thread(place: Place) -> Any:
    """T-1 as it stands."""
    return (await place.starter.get(THREAD)).json()


async def test_public_message_takes_the_ticket_over_once(place: Place) -> None:
    """It stands in the thread as a person's, and the bot is silent; a repeat is the first one."""
    run = await place.start()
    said = await say(place, "m-1", text="I look into it.", author_name="Mia")
    assert (said["author"], said["public"], said["run_id"]) == ("person", True, run["id"])
    assert await say(place, "m-1", text="I look into it.", author_name="Mia") == said
    shown = await thread(place)
    assert shown["handled_by"] == "Mia"
    assert [m["author"] for m in shown["messages"]] == ["customer", "person"]
    await place.starter.post(f"{THREAD}/handback")
    assert (await thread(place))["handled_since"] is None


async def test_note_leaves_the_ticket_with_the_bot(place: Place) -> None:
    """A message that the customer did not see changes nothing but the thread."""
    await place.start()
    said = await say(place, text="Is a VIP.", public=False)
    shown = await thread(place)
    assert shown["handled_since"] is None
    assert shown["messages"][-1] == said


async def test_unknown_ticket_keeps_nothing(place: Place) -> None:
    """404, as there is no customer to whom it would belong."""
    expect(await place.starter.post(MESSAGES, json={"text": "x"}), "not-found")
    expect(await place.starter.post(CLOSE), "not-found")


async def test_what_a_person_wrote_is_erased_with_the_customer(place: Place) -> None:
    """It may quote them."""
    await place.start()
    await say(place, text="Dear Max, I look into it.")
    assert (await place.starter.post(CLOSE)).status_code == 200
    erased = await place.starter.delete("/v1/customers/cus_max")
    assert erased.json()["erased"]["messages"] == 2
    assert (await thread(place))["messages"] == []


async def test_close_ends_what_is_open(place: Place) -> None:
    """The paused run and the one behind it are cancelled; closing again changes nothing."""
    path, body = await place.paused()
    behind = await place.start()
    await say(place, text="Done by phone.")
    closed = (await place.starter.post(CLOSE)).json()
    paused_id = path.split("/")[3]
    assert set(closed["cancelled_runs"]) == {paused_id, behind["id"]}
    shown = await thread(place)
    assert {run["status"] for run in shown["runs"]} == {"cancelled"}
    assert shown["handled_since"] is None
    expect(await place.reviewer.post(path, json=body), "not-waiting")
    again = (await place.starter.post(CLOSE)).json()
    assert again == {"ticket_id": "T-1", "cancelled_runs": [], "closed_handoffs": 0}
    assert (await place.start())["status"] == "pending"


async def test_articles_are_imported_all_or_none(place: Place) -> None:
    """What is stored as it is stays; one that does not fit, or comes twice, stores none."""
    one, two = ({"id": name, "title": name, "content": "Nine to five."} for name in ("a", "b"))

    async def load(*articles: Any) -> Any:
        answer = await place.starter.post("/v1/articles", json={"articles": list(articles)})
        DOCUMENT.check(answer)
        return answer

    assert (await load(one)).json() == {"stored": ["a"], "unchanged": []}
    assert (await load(two, one)).json() == {"stored": ["b"], "unchanged": ["a"]}
    expect(await load(one, {**two, "title": "New"}, one), "invalid-request")
    expect(await load({**two, "title": "New"}, {"id": "c", "title": "c"}), "invalid-request")
    assert (await place.starter.get("/v1/articles/b")).json()["title"] == "b"
    assert (await place.starter.get("/v1/articles/c")).status_code == 404


async def test_handoffs_name_their_run_and_agents_leave_theirs(place: Place) -> None:
    """A removed person's hand-off waits in the queue."""
    agent = {
        "name": "Mia", "skills": ["complaints", "general", "billing", "technical"],
        "timezone": "UTC", "opens_hour": 0, "closes_hour": 24, "weekdays": [1, 2, 3, 4, 5, 6, 7],
    }  # fmt: skip
    for other in (await place.starter.get("/v1/agents")).json()["items"]:
        assert (await place.starter.delete(f"/v1/agents/{other['id']}")).status_code == 204
    assert (await place.starter.put("/v1/agents/ag_mia", json=agent)).json()["load"] == 0
    run = await place.done("I want to speak to a human being, please.")
    [handoff] = (await place.starter.get("/v1/handoffs")).json()["items"]
    assert (handoff["run_id"], handoff["agent_id"]) == (str(run.id), "ag_mia")
    [listed] = (await place.starter.get("/v1/agents")).json()["items"]
    assert (listed["id"], listed["load"]) == ("ag_mia", 1)
    assert (await place.starter.delete("/v1/agents/ag_mia")).status_code == 204
    [handoff] = (await place.starter.get("/v1/handoffs")).json()["items"]
    assert (handoff["status"], handoff["agent_id"]) == ("open", None)
    wrong = await place.starter.put("/v1/agents/x", json={**agent, "timezone": "Mars/Olympus"})
    expect(wrong, "invalid-request")
    assert "Mars" not in wrong.text


async def test_close_and_a_reply_that_begins_do_not_wait_for_each_other(
    sessions: Sessions, begin: Begin
) -> None:
    """A reply takes the thread before its run, as a close does: the close wins, and both end."""
    whose = await begin()
    replying = Call("send_reply", "reply", {"text": "Hello."}, None)
    async with sessions.begin() as session:
        await lock_thread(session, whose.tenant_id, whose.ticket_id)
        begins = asyncio.create_task(PostgresLedger(sessions, whose).begin(replying, None))
        while not await session.scalar(WAITING):  # noqa: ASYNC110  # Postgres tells no event
            await asyncio.sleep(0.01)
        run = await start_and_cancel.cancel(session, enqueue_run, whose.tenant_id, whose.run_id)
        assert run.cancel_requested_at is not None
    with pytest.raises(RunLostError):
        await begins
