"""Every address of the console against strangers: other sites, other tenants, smaller keys."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import text

from app.db.tables.tenants import ApiKey
from app.execution.wiring import Service
from app.services.console.sign_in import PAGE_SCOPES, make_link
from tests.cases import some
from tests.conftest import make_tenant
from tests.integration.conftest import Begin
from tests.integration.console import Console, answer, card, serving_console
from tests.integration.console_victim import (
    ALL,
    NEEDED,
    OPEN,
    Victim,
    ask,
    console,
    harmless_first,
    is_page,
    routes,
    victim,
)

__all__ = ["console", "victim"]

pytestmark = pytest.mark.no_articles

# A ticket's name means a ticket of one's own tenant, whether it is known yet or not; an article
# that is not there cannot be the version that was read.
UNKNOWN = {"takeover": 303, "handback": 303, "delete": 409}


def test_every_address_says_whom_it_is_for() -> None:
    """A new one has to be written down here."""
    assert routes() == NEEDED.keys() | OPEN


@pytest.mark.parametrize("site", some(["cross-site", "same-site", "none", None], 2))
async def test_no_other_site_presses_anything(victim: Victim, site: str | None) -> None:
    """Each form is refused that no page of ours sent, and nothing is stored of it."""
    ann = await victim.console.sign_in("Ann", *ALL)
    before = await victim.rows()
    del ann.headers["Sec-Fetch-Site"]
    ann.headers["Origin"] = "https://evil.example"
    if site is not None:
        ann.headers["Sec-Fetch-Site"] = site
    for route in sorted(one for one in routes() if one.startswith("POST")):
        reply = await ask(ann, victim, route)
        assert reply.status_code == 403, route
        is_page(reply)
    assert await victim.rows() == before


async def test_without_a_session_nothing_is_seen_or_pressed(victim: Victim) -> None:
    """Each address leads to the page that signs in."""
    before = await victim.rows()
    for route in sorted(NEEDED):
        reply = await ask(victim.console.browser(), victim, route)
        assert reply.status_code == 303, route
        assert reply.headers["Location"].startswith("/console/sign-in?next="), route
        is_page(reply)
    assert await victim.rows() == before


async def test_what_is_another_tenants_does_not_exist(
    victim: Victim, service: Service, begin: Begin
) -> None:
    """By no id of it, whatever a person may do in their own tenant."""
    async with service.sessions.begin() as session:
        other = await make_tenant(session, articles=False)
    before = await victim.rows()
    async with serving_console(service, other, begin) as theirs:
        eve = await theirs.sign_in("Eve", *ALL)
        for route in sorted(one for one in NEEDED if "{" in one):
            reply = await ask(eve, victim, route)
            assert reply.status_code == UNKNOWN.get(route.rpartition("/")[2], 404), route
            is_page(reply)
    assert await victim.rows() == before


@pytest.mark.parametrize("scope", some([*ALL, "mail:send"], 3))
async def test_a_smaller_key_sees_and_presses_no_more(victim: Victim, scope: str) -> None:
    """One scope opens what it is for, and everything else is refused."""
    browser = await victim.console.sign_in("Ann", "admin", scope)
    key_id = (await last_key(victim.console)).id
    async with victim.console.service.sessions.begin() as session:
        (await session.get_one(ApiKey, key_id)).scopes = [scope]
    refused = {route for route in sorted(NEEDED, key=harmless_first)
               if (await ask(browser, victim, route)).status_code == 403}  # fmt: skip
    # A scope that opens no page opens nothing: its holder is not signed in.
    opens = scope in PAGE_SCOPES
    assert refused == {
        route for route, scopes in NEEDED.items() if not opens or scope not in scopes
    }


async def last_key(console: Console) -> ApiKey:
    """The newest key of the tenant."""
    query = text("SELECT id FROM api_keys WHERE tenant_id = :t ORDER BY created_at DESC LIMIT 1")
    async with console.service.sessions() as session:
        key_id = await session.scalar(query, {"t": console.tenant.id})
        return await session.get_one(ApiKey, key_id)


async def test_a_double_click_is_one_answer(console: Console) -> None:
    """Five of the same form at once: one decision, and each says how it stands."""
    _, approval = await console.paused()
    ann = await console.sign_in("Ann")
    form = answer(approval, "approve")
    replies = await asyncio.gather(*(ann.post(card(approval), data=form) for _ in range(5)))
    assert {reply.status_code for reply in replies} <= {303, 409}
    assert Counter(reply.status_code for reply in replies)[303] >= 1
    assert len(await console.desk.decisions(approval)) == 1


async def test_a_link_that_two_press_at_once_signs_one_in(console: Console) -> None:
    """The first of them takes it away."""
    async with console.service.sessions.begin() as session:
        key = await session.get_one(ApiKey, console.tenant.approver.split("_")[1])
        code = await make_link(session, key)
    sent = [console.browser().post(f"/console/sign-in/{code}", data={}) for _ in range(5)]
    replies = await asyncio.gather(*sent)
    assert Counter(reply.status_code for reply in replies) == {303: 1, 401: 4}


async def test_signing_in_takes_no_session_that_others_chose(console: Console) -> None:
    """The id is a new one each time, and the browser's session of before ends."""
    browser = console.browser()
    browser.cookies.set("deskgraph_session", "chosen-by-mallory", domain="127.0.0.1")
    key = await console.key("Ann")
    seen = []
    for _ in range(2):
        assert (await browser.post("/console/sign-in", data={"key": key})).status_code == 303
        seen.append(browser.cookies["deskgraph_session"])
    assert len({"chosen-by-mallory", *seen}) == 3
    stale = console.browser()
    stale.cookies.set("deskgraph_session", seen[0], domain="127.0.0.1")
    assert (await stale.get("/console")).status_code == 303
    assert (await browser.get("/console")).status_code == 200
