"""Keys over the API and in the console: issued within what the issuer holds, seen, revoked."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import httpx
import pytest
from sqlalchemy import select, update

from app.api.http.dependencies import SCOPES
from app.api.routes.keys import Scope
from app.console.routes.keys import MEANING
from app.db.tables.tenants import ApiKey
from app.execution.wiring import Service
from app.services.tenants.keys import USE_NOTED
from tests.conftest import Tenant, make_tenant
from tests.integration.conftest import Begin
from tests.integration.console import Console, serving_console, words
from tests.integration.place import DOCUMENT, Place, opened

pytestmark = pytest.mark.no_articles
KEYS = "/console/settings/keys"
ADMIN = ("admin", "approvals:decide", "runs:read")


@pytest.fixture
async def place(service: Service, tenant: Tenant) -> AsyncIterator[Place]:
    """A tenant that no other test uses."""
    async with opened(service, tenant) as place:
        yield place


@pytest.fixture
async def console(service: Service, tenant: Tenant, begin: Begin) -> AsyncIterator[Console]:
    """The console of a tenant."""
    async with serving_console(service, tenant, begin) as opened:
        yield opened


async def issue(
    caller: httpx.AsyncClient, expected: int = 201, scopes: Any = ("admin",), **more: Any
) -> Any:
    """What the API answers to a wish for a key."""
    body = {"name": "New", "scopes": list(scopes), **more}
    answer = await caller.post("/v1/keys", json=body)
    DOCUMENT.check(answer)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def test_issued_key_works_and_its_secret_is_nowhere(place: Place) -> None:
    """Until it is revoked; the list holds no secret, and says who made it."""
    admin = place.caller(await place.key(*ADMIN))
    me = (await admin.get("/v1/me")).json()["key"]["id"]
    made = await issue(admin, scopes=["runs:read", "admin"], person="ann@example.com")
    secret = made["key"].split("_", 2)[2]
    caller = place.caller(made["key"])
    assert (await caller.get("/v1/runs")).status_code == 200
    listed = await caller.get("/v1/keys", params={"limit": 100})
    DOCUMENT.check(listed)
    assert secret not in listed.text
    [row] = [one for one in listed.json()["items"] if one["id"] == made["id"]]
    assert (row["issued_by"], row["person"], row["scopes"]) == (
        me, "ann@example.com", ["admin", "runs:read"],
    )  # fmt: skip
    assert row["last_used_at"] is not None
    assert made["last_used_at"] is None
    gone = await admin.delete(f"/v1/keys/{made['id']}")
    assert gone.status_code == 204
    assert (await caller.get("/v1/runs")).status_code == 401
    assert (await admin.delete(f"/v1/keys/{made['id']}")).status_code == 404


async def test_no_key_grants_what_it_does_not_hold(place: Place) -> None:
    """Neither a scope, nor a higher limit, nor no limit where it has one."""
    admin = place.caller(await place.key("admin", "approvals:decide", limits={"USD": 5000}))
    for refused in (
        {"scopes": ["runs:write"]},
        {"scopes": ["admin", "approvals:on_behalf_of"]},
        {"scopes": ["approvals:decide"]},
        {"scopes": ["approvals:decide"], "approve_limits": {"USD": 5001}},
        {"scopes": ["approvals:decide"], "approve_limits": {"EUR": 1}},
    ):
        assert (await issue(admin, 403, **refused))["code"] == "grant-not-held", refused
    await issue(admin, scopes=["admin"])
    limits = {"USD": 5000, "EUR": 0}
    made = await issue(admin, scopes=["approvals:decide"], approve_limits=limits)
    assert made["approve_limits"] == limits
    wrongs: list[dict[str, Any]] = [
        {"scopes": ["root"]}, {"scopes": []}, {"name": " "}, {"person": "a\u0000"},
        {"approve_limits": {"usd": 1}},
    ]  # fmt: skip
    for wrong in wrongs:
        assert (await issue(admin, 400 if "person" in wrong else 422, **wrong))["code"]


async def test_keys_of_another_tenant_do_not_exist(place: Place) -> None:
    """They are neither listed nor revoked."""
    async with place.service.sessions.begin() as session:
        second = await make_tenant(session, articles=False)
    admin = place.caller(await place.key("admin"))
    theirs = second.admin.split("_")[1]
    assert (await admin.delete(f"/v1/keys/{theirs}")).status_code == 404
    assert theirs not in (await admin.get("/v1/keys", params={"limit": 100})).text


async def test_use_is_noted_seldom(place: Place) -> None:
    """Within five minutes once, so that requests are no writes; a refused one is no use."""
    key = await place.key("runs:read")
    caller, key_id = place.caller(key), key.split("_")[1]

    async def used() -> datetime | None:
        async with place.service.sessions() as session:
            query = select(ApiKey.last_used_at).where(ApiKey.id == key_id)
            return (await session.scalars(query)).one()

    assert (await caller.get("/v1/policy")).status_code == 403
    assert await used() is None
    await caller.get("/v1/runs")
    first = await used()
    assert first is not None
    await caller.get("/v1/runs")
    assert await used() == first
    async with place.service.sessions.begin() as session:
        earlier = datetime.now(UTC) - USE_NOTED - timedelta(seconds=1)
        await session.execute(
            update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=earlier)
        )
    await caller.get("/v1/runs")
    again = await used()
    assert again is not None
    assert again > earlier + USE_NOTED


def test_scopes_of_the_document_are_those_of_the_routes() -> None:
    """A new scope can be granted."""
    assert get_args(Scope) == tuple(MEANING) == SCOPES


def form(page: httpx.Response, **fields: str) -> dict[str, str]:
    """The form for a new key, filled in."""
    [new_id] = re.findall(r'name="id" value="([0-9a-f]{12})"', page.text)
    return {"id": new_id, "name": "Ben", "person": "", "limits": "", **fields}


async def test_key_is_issued_in_the_console_once(console: Console) -> None:
    """Its secret is on that page alone; the form sent again makes no second one."""
    root = await console.sign_in("Root", *ADMIN, limits={"USD": 10_000})
    wanted = form(await root.get(KEYS), limits="99.50 USD")
    wanted["scope-approvals:decide"] = "yes"
    made = await root.post(KEYS, data=wanted)
    assert made.status_code == 200
    assert made.headers["Cache-Control"] == "no-store"
    [token] = re.findall(r"dg_[0-9a-f]{12}_[\w-]{43}", made.text)
    browser = console.browser()
    assert (await browser.post("/console/sign-in", data={"key": token})).status_code == 303
    assert (await browser.get("/console")).status_code == 200
    again = await root.post(KEYS, data=wanted)
    assert again.status_code == 409
    assert "dg_" not in words(again)
    listed = await root.get(KEYS)
    assert token not in listed.text
    text = words(listed)
    assert f"Ben dg_{wanted['id']}_… approvals:decide approves at most 99.50 USD" in text
    assert text.count("Ben dg_") == 1
    assert "Root (yours)" in text


async def test_key_is_revoked_in_the_console(console: Console) -> None:
    """Its session ends with it; it stands among the revoked ones."""
    root = await console.sign_in("Root", *ADMIN)
    ann = await console.sign_in("Ann")
    text = (await root.get(KEYS)).text
    [ann_id] = re.findall(r"<bdi>Ann</bdi></td>\s*<td><code>dg_([0-9a-f]{12})_", text)
    assert (await ann.get("/console")).status_code == 200
    assert (await ann.get(KEYS)).status_code == 403
    assert (await ann.post(f"{KEYS}/{ann_id}/revoke", data={})).status_code == 403
    assert (await ann.post(KEYS, data={})).status_code == 403
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert (await root.post(f"{KEYS}/{ann_id}/revoke", data={}, headers=foreign)).status_code == 403
    assert (await root.post(f"{KEYS}/{ann_id}/revoke", data={})).status_code == 303
    assert (await ann.get("/console")).headers["Location"].startswith("/console/sign-in")
    assert ann_id not in (await root.get(KEYS)).text
    assert ann_id in (await root.get(KEYS, params={"revoked": "true"})).text
    assert (await root.post(f"{KEYS}/{ann_id}/revoke", data={})).status_code == 404


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({}, 422, "Choose what the key may do."),
        ({"name": " ", "scope-admin": "yes"}, 422, "Name: type 1 to 200 characters."),
        ({"person": "x" * 201, "scope-admin": "yes"}, 422, "Person: type 1 to 200 characters."),
        ({"id": "x", "scope-admin": "yes"}, 422, "Load the form again."),
        ({"limits": "5", "scope-admin": "yes"}, 422, "Limits: type sums such as"),
        ({"scope-runs:write": "yes"}, 403, "Your key does not hold runs:write"),
    ],
)
async def test_wrong_wish_is_said_beside_the_form(
    console: Console, fields: dict[str, str], status: int, said: str
) -> None:
    """With what was typed; no key is made."""
    root = await console.sign_in("Root", "admin")
    answer = await root.post(KEYS, data=form(await root.get(KEYS), **fields))
    assert answer.status_code == status
    assert said in words(answer)
    assert "dg_" not in re.sub(r"dg_[0-9a-f]{12}_…", "", words(answer))


async def test_many_keys_are_paged(console: Console) -> None:
    """Newest first, and none twice."""
    async with console.service.sessions.begin() as session:
        for number in range(60):
            session.add(
                ApiKey(id=f"{number:012x}", tenant_id=console.tenant.id, name=f"<b>{number}",
                       secret_sha256=b"", scopes=["runs:read"])
            )  # fmt: skip
    root = await console.sign_in("Root", "admin")
    first = await root.get(KEYS)
    assert len(first.content) < 100_000
    [older] = re.findall(r'href="([^"]+)" rel="next"', first.text)
    second = await root.get(older)
    ids = [re.findall(r"<code>dg_([0-9a-f]{12})_", page.text) for page in (first, second)]
    assert len(ids[0]) == 50
    assert not set(ids[0]) & set(ids[1])
    assert "<b>7" in words(second) or "<b>7" in words(first)
