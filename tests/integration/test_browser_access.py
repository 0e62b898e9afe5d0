"""Pages of listed origins may call, and open event streams with a token in the address."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from app.api.http.stream_tokens import TOKEN_SECONDS
from app.db.tenants.queries import revoke_key
from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.place import DOCUMENT, Place, client, expect, opened

pytestmark = pytest.mark.no_articles
PAGE = "https://desk.example"
ASKS = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization,content-type,if-match",
}


@pytest.fixture
async def place(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """A tenant that no other test uses."""
    async with opened(service, tenant) as place:
        yield place


async def token_of(place: Place) -> str:
    """A fresh token."""
    answer = await place.starter.post("/v1/events/tokens")
    DOCUMENT.check(answer)
    body = answer.json()
    good_for = datetime.fromisoformat(body["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=TOKEN_SECONDS - 30) < good_for <= timedelta(seconds=TOKEN_SECONDS)
    return str(body["token"])


async def ended(place: Place) -> str:
    """The address of the events of a run that has ended, whose stream ends as well."""
    run = await place.start()
    await place.starter.post(f"/v1/runs/{run['id']}/cancel")
    return f"/v1/runs/{run['id']}/events"


def made_at(place: Place, moment: float, *content: Any) -> str:
    """A token that was made at another time, by the same secret."""

    class Clock(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(moment)

    serializer = URLSafeTimedSerializer("tests", salt=json.dumps(["event-stream"]), signer=Clock)
    return str(serializer.dumps(list(content)))


async def test_token_opens_the_streams_of_its_tenant_only(place: Place) -> None:
    """It needs no header, and is no key for anything else."""
    path, token = await ended(place), await token_of(place)
    async with client(place.service) as page:
        stream = await page.get(path, params={"token": token})
        assert stream.status_code == 200, stream.text
        assert "event: end" in stream.text
        expect(await page.get("/v1/runs", params={"token": token}), "unauthorized")
        refused = await page.get("/v1/runs", headers={"Authorization": f"Bearer {token}"})
        expect(refused, "unauthorized")


async def test_forged_old_and_revoked_tokens_open_nothing(place: Place) -> None:
    """401 for each; a token ends with its key."""
    path, token = await ended(place), await token_of(place)
    [key] = await keys_of(place)
    now = datetime.now(UTC).timestamp()
    fresh = made_at(place, now, place.tenant.id, key)
    old = made_at(place, now - TOKEN_SECONDS - 5, place.tenant.id, key)
    other = made_at(place, now, "another", key)
    async with client(place.service) as page:
        assert (await page.get(path, params={"token": fresh})).status_code == 200
        for wrong in (old, other, "", "x", token[:-1] + "?", token.swapcase()):
            expect(await page.get(path, params={"token": wrong}), "unauthorized")
        async with place.service.sessions.begin() as session:
            assert await revoke_key(session, place.tenant.id, key)
        expect(await page.get(path, params={"token": fresh}), "unauthorized")


async def keys_of(place: Place) -> list[str]:
    """The id of the starter's key."""
    return [(await place.starter.get("/v1/me")).json()["key"]["id"]]


async def test_listed_origin_may_call(place: Place) -> None:
    """A preflight needs no key; the answer names the page and what it may read."""
    async with client(place.service, place.tenant.starter, cors_origins=[PAGE]) as page:
        asked = await page.options("/v1/policy", headers=ASKS)
        assert asked.status_code == 200
        assert asked.headers["Access-Control-Allow-Origin"] == PAGE
        assert "Access-Control-Allow-Credentials" not in asked.headers
        answer = await page.get("/v1/runs", headers={"Origin": PAGE})
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
        refused = await page.get("/v1/runs?x=1", headers={"Origin": PAGE})
        expect(refused, "invalid-request")
        assert refused.headers["Access-Control-Allow-Origin"] == PAGE


@pytest.mark.parametrize("origins", [[], [PAGE]])
async def test_other_origins_may_not(place: Place, origins: list[str]) -> None:
    """Nothing says that their pages may read the answer, and by default no page may."""
    stranger = {"Origin": "https://evil.example"}
    async with client(place.service, place.tenant.starter, cors_origins=origins) as page:
        asked: httpx.Response = await page.options("/v1/policy", headers={**ASKS, **stranger})
        assert asked.status_code >= 400
        answer = await page.get("/v1/runs", headers=stranger)
        for one in (asked, answer):
            assert "Access-Control-Allow-Origin" not in one.headers
