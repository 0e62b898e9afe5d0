"""Signing in to the console by a real OpenID Connect provider."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, get_args

import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread  # type: ignore[import-untyped]  # untyped
from pydantic import SecretStr, ValidationError
from sqlalchemy import text

from app.api.http.dependencies import SCOPES
from app.db.tables.tenants import ApiKey
from app.db.tenants.queries import list_keys, revoke_key
from app.errors import AlreadyDecidedError, OwnRunError, SecondApproverError
from app.execution.wiring import Service
from app.services.approvals.deciders import ON_BEHALF_OF
from app.settings import Settings
from app.settings.sign_in import OidcRole, Scope
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.console import Console, answer, card, serving_console, words

pytestmark = pytest.mark.no_articles

ROLES = {
    "support lead": OidcRole(
        scopes=["approvals:decide", "runs:read"], approve_limits={"USD": 70_000}
    ),
    "reader": OidcRole(scopes=["runs:read"]),
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A real OpenID Connect provider with three people."""
    people = [
        User(sub="1", claims={"name": "Olga Ortiz", "email": "olga@example.com",
                              "email_verified": True, "roles": ["support lead"]}),
        User(sub="2", claims={"name": "Rob Reader", "roles": ["reader", "cook"]}),
        User(sub="3", claims={"name": "Nora None", "roles": ["cook"]}),
    ]  # fmt: skip
    with run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
async def with_provider(
    service: Service, tenant: Tenant, begin: Begin, issuer: str
) -> AsyncIterator[Console]:
    """The console of a tenant whose people sign in by the provider."""
    settings: dict[str, Any] = {
        "oidc_issuer": issuer, "oidc_client_id": "console", "oidc_roles": ROLES,
        "oidc_client_secret": SecretStr("s3cret"), "oidc_tenant": tenant.id,
        "oidc_provider_name": "Fernboard",
    }  # fmt: skip
    async with serving_console(service, tenant, begin, **settings) as opened:
        yield opened


async def provider_says(console: Console, browser: httpx.AsyncClient, subject: str) -> str:
    """Goes to the provider and lets it sign the person in: where it sends the browser back to."""
    begun = await browser.get(
        "/console/sign-in/with-provider", params={"next": "/console?kind=plan"}
    )
    assert begun.status_code == 303, begun.text
    async with httpx.AsyncClient() as person:
        sent = await person.post(begun.headers["Location"], data={"sub": subject})
    assert sent.status_code in {302, 303}, sent.text
    return sent.headers["Location"].removeprefix(console.url)


async def test_provider_signs_in_by_name_role_and_limit(with_provider: Console) -> None:
    """The person stands on the decision by name, and their role's limit holds."""
    console, browser = with_provider, with_provider.browser()
    page = await browser.get("/console/sign-in")
    assert "Sign in with Fernboard" in words(page)
    back = await provider_says(console, browser, "1")
    done = await browser.get(back)
    assert (done.status_code, done.headers["Location"]) == (303, "/console?kind=plan"), done.text
    _, small = await console.paused("T-1")
    assert (await browser.post(card(small), data=answer(small, "approve"))).status_code == 303
    [decision] = await console.desk.decisions(small)
    assert decision.decided_by == "Olga Ortiz"
    step = {**small.steps[0], "args": {**small.steps[0]["args"], "amount_minor": 70_001}}
    _, large = await console.paused("T-2", steps=[step])
    assert "this key may approve 700.00 USD" in words(await browser.get(card(large)))
    refused = await browser.post(card(large), data=answer(large, "approve"))
    assert refused.status_code == 403
    # The same person again is the same row.
    again = console.browser()
    assert (await again.get(await provider_says(console, again, "1"))).status_code == 303
    async with console.service.sessions() as session:
        keys = await list_keys(session, console.tenant.id)
    assert [key.person for key in keys if key.name == "Olga Ortiz"] == ["olga@example.com"]


async def test_roles_decide_what_a_person_may(with_provider: Console) -> None:
    """A role that reads decides nothing; without a known role there is no session."""
    _, approval = await with_provider.paused()
    reader = with_provider.browser()
    assert (await reader.get(await provider_says(with_provider, reader, "2"))).status_code == 303
    sent = await reader.post(card(approval), data=answer(approval, "approve"))
    assert sent.status_code == 403
    stranger = with_provider.browser()
    refused = await stranger.get(await provider_says(with_provider, stranger, "3"))
    assert refused.status_code == 401
    assert "no role that may use this console" in words(refused)
    assert (await stranger.get("/console")).status_code == 303


async def test_revoked_person_stays_out(with_provider: Console) -> None:
    """`deskgraph keys revoke` outlives the next sign-in."""
    browser = with_provider.browser()
    await browser.get(await provider_says(with_provider, browser, "1"))
    async with with_provider.service.sessions.begin() as session:
        keys = await list_keys(session, with_provider.tenant.id)
        [own] = [key for key in keys if key.person == "olga@example.com"]
        assert await revoke_key(session, with_provider.tenant.id, own.id)
    refused = await browser.get(await provider_says(with_provider, browser, "1"))
    assert refused.status_code == 401
    assert "revoked" in words(refused)


async def test_callback_belongs_to_the_browser_that_began(with_provider: Console) -> None:
    """Another browser's code, a forged state and a used code sign no one in."""
    browser = with_provider.browser()
    back = await provider_says(with_provider, browser, "1")
    assert (await with_provider.browser().get(back)).status_code == 401
    forged = re.sub(r"state=[^&]*", "state=x", back)
    assert (await browser.get(forged)).status_code == 401
    assert (await browser.get(back)).status_code == 303
    assert (await browser.get(back)).status_code == 401


async def test_begun_sign_in_is_bound_to_this_host(with_provider: Console) -> None:
    """Another host of the domain cannot set its cookie, and so not sign a person in as another."""
    headers = {"Host": "desk.example.com", "Origin": "https://desk.example.com"}
    begun = await with_provider.browser().get("/console/sign-in/with-provider", headers=headers)
    [cookie] = begun.headers.get_list("Set-Cookie")
    assert cookie.startswith("__Host-deskgraph_sign_in=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    value = cookie.partition(";")[0].partition("=")[2]
    [state] = httpx.URL(begun.headers["Location"]).params.get_list("state")
    planted = {**headers, "Cookie": f"deskgraph_sign_in={value}"}
    back = {"code": "x", "state": state}
    browser = with_provider.browser()
    refused = await browser.get("/console/sign-in/callback", params=back, headers=planted)
    assert refused.status_code == 401
    assert "did not begin in this browser" in words(refused)


async def test_keys_and_sign_in_of_one_person_are_one(with_provider: Console) -> None:
    """Whatever the key is called: by the person it names it is the same pair of eyes."""
    console, browser = with_provider, with_provider.browser()
    run, approval = await console.paused(required_approvers=2)
    await browser.get(await provider_says(console, browser, "1"))
    fits = answer(approval, "approve", **{"total-USD": "649.00"})
    assert (await browser.post(card(approval), data=fits)).status_code == 303
    token = await console.key("laptop", person="Olga@example.com")
    async with console.service.sessions() as session:
        laptop = await session.get_one(ApiKey, token.split("_")[1])
    with pytest.raises((SecondApproverError, AlreadyDecidedError)):
        await console.desk.decide(laptop, await console.desk.approval(run), "approve")
    starter = await console.key("nightly job", "runs:write", person="olga@example.com")
    async with console.service.sessions.begin() as session:
        started = {"key": starter.split("_")[1], "run": run.id}
        await session.execute(text("UPDATE runs SET started_by = :key WHERE id = :run"), started)
    with pytest.raises(OwnRunError):
        await console.desk.decide(laptop, await console.desk.approval(run), "reject", comment="no")


async def test_provider_that_is_away_is_a_page(
    service: Service, tenant: Tenant, begin: Begin
) -> None:
    """No error of ours, and the key's form still works."""
    settings: dict[str, Any] = {
        "oidc_issuer": "http://127.0.0.1:1", "oidc_client_id": "c", "oidc_roles": ROLES,
        "oidc_client_secret": SecretStr("s"), "oidc_tenant": tenant.id,
    }  # fmt: skip
    async with serving_console(service, tenant, begin, **settings) as console:
        away = await console.browser().get("/console/sign-in/with-provider")
        assert away.status_code == 502
        assert "does not answer as it should" in words(away)
        await console.sign_in("Ann")


def test_provider_is_set_up_whole_or_not_at_all() -> None:
    """What is missing is named at the start, not at the first sign-in."""
    with pytest.raises(ValidationError, match="DESKGRAPH_OIDC_CLIENT_ID"):
        Settings(_env_file=None, oidc_issuer="https://id.example.com")
    # Who signs in decides for themselves; only a system's key names another person.
    assert set(get_args(Scope)) == set(SCOPES) - {ON_BEHALF_OF}
