"""Claims and snoozes over the API are those of the console."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.place import DOCUMENT, Place, expect, opened
from tests.integration.test_openapi_states import PERSON

pytestmark = pytest.mark.no_articles


@pytest.fixture
async def place(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """A tenant that no other test uses."""
    async with opened(service, tenant) as place:
        yield place


async def checked(answer: httpx.Response) -> dict[str, object]:
    """The body of an answer that is as documented and no refusal."""
    DOCUMENT.check(answer)
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


async def test_claim_is_replaced_only_by_who_saw_it(place: Place) -> None:
    """Free, one's own again, another one's: refused with who has it, taken with `over`."""
    _, body = await place.paused()
    path = f"/v1/inbox/{body['approval_id']}"
    assert (await checked(await place.reviewer.get(path)))["claim"] is None
    for _ in range(2):
        await checked(await place.starter.post(f"{path}/claim", json={}))
    refused = await place.reviewer.post(f"{path}/claim", json={})
    expect(refused, "already-claimed")
    held = refused.json()["claim"]
    expect(await place.reviewer.post(f"{path}/claim", json={"over": "x"}), "already-claimed")
    # Another one's claim is not given back.
    await checked(await place.reviewer.post(f"{path}/release"))
    shown = (await checked(await place.reviewer.get(path)))["claim"]
    assert isinstance(shown, dict)
    assert {name: shown[name] for name in held} == held
    over = {"over": held["key_id"]}
    taken = (await checked(await place.reviewer.post(f"{path}/claim", json=over)))["claim"]
    assert isinstance(taken, dict)
    assert taken["key_id"] != held["key_id"]
    assert (await checked(await place.reviewer.post(f"{path}/release")))["claim"] is None


async def test_snooze_is_of_one_key(place: Place) -> None:
    """It ends by itself or with 0 seconds; more than 30 days and other numbers are refused."""
    _, body = await place.paused()
    path = f"/v1/inbox/{body['approval_id']}"
    answer = await checked(await place.reviewer.post(f"{path}/snooze", json={"seconds": 3600}))
    until = datetime.fromisoformat(str(answer["snoozed_until"]))
    assert timedelta(minutes=50) < until - datetime.now(UTC) < timedelta(minutes=61)
    assert (await checked(await place.starter.get(path)))["snoozed_until"] is None
    over = await checked(await place.reviewer.post(f"{path}/snooze", json={"seconds": 0}))
    assert over["snoozed_until"] is None
    for wrong in (-1, 2_592_001, 1.5, "60", None, True):
        refused = await place.reviewer.post(f"{path}/snooze", json={"seconds": wrong})
        expect(refused, "invalid-request")


async def test_handoff_is_read_by_its_id_with_its_questions(place: Place) -> None:
    """As in the list; and it is claimed like an approval."""
    await place.done(PERSON, ticket="T-2")
    [listed] = (await place.starter.get("/v1/handoffs")).json()["items"]
    await place.change(
        """UPDATE handoffs SET questions = '["Where is my parcel?"]' WHERE tenant_id = :tenant"""
    )
    one = await checked(await place.starter.get(f"/v1/handoffs/{listed['id']}"))
    assert one == {**listed, "questions": ["Where is my parcel?"]}
    claimed = await place.reviewer.post(f"/v1/inbox/{listed['id']}/claim", json={})
    assert (await checked(claimed))["claim"]
