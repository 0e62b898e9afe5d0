"""The console shows the audit trail, and lets a second admin decide a change of the policy."""

import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from app.execution.wiring import Service
from app.services.audit.seal import seal_tenant
from app.services.conversations import takeover
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.console import Console, answer, card, serving_console, words

pytestmark = pytest.mark.no_articles

AUDIT = "/console/audit"
LOOSE = {"refund_auto_limit": {"USD": 5000}}


@pytest.fixture
async def console(service: Service, tenant: Tenant, begin: Begin) -> AsyncIterator[Console]:
    """The console of a tenant."""
    async with serving_console(service, tenant, begin) as opened:
        yield opened


async def asked(console: Console) -> str:
    """The page of a change that the tenant's first admin asks for over the API."""
    bearer = {"Authorization": f"Bearer {console.tenant.admin}"}
    change = await console.browser().patch("/v1/policy", json=LOOSE, headers=bearer)
    assert change.status_code == 202, change.text
    return f"/console/policy-changes/{change.json()['id']}"


async def test_trail_names_who_did_what(console: Console) -> None:
    """With the person's name, links to run and approval, the seal, and what filters leave."""
    root, ann = await console.sign_in("Root", "admin"), await console.sign_in("Ann")
    run, approval = await console.paused()
    await ann.post(card(approval), data=answer(approval, "reject", comment="<b>no</b>"))
    before = words(await root.get(AUDIT))
    assert "decision.made by Ann (" in before
    assert "not sealed yet" in before
    await seal_tenant(console.service.sessions, console.tenant.id)
    page = await root.get(AUDIT)
    assert f'href="{card(approval)}"' in page.text
    assert f'href="/console/runs/{run.id}"' in page.text
    assert re.search(r"The newest \d+ links of \d+ hold", words(page))
    assert "<b>no</b>" not in page.text
    found = words(await root.get(f"{AUDIT}?kind=decision.made&subject=run:{run.id}"))
    assert ("decision.made by Ann" in found, "key.issued by" in found) == (True, False)
    assert "No event fits" in words(await root.get(f"{AUDIT}?subject=run:none"))
    refused = await ann.get(AUDIT)
    assert refused.status_code == 403
    assert 'href="/console/audit"' not in (await ann.get("/console")).text


async def test_trail_pages(console: Console) -> None:
    """Older events are a page further."""
    root = await console.sign_in("Root", "admin")
    for number in range(60):
        async with console.service.sessions.begin() as session:
            await takeover.take_over(session, console.tenant.id, f"T-{number}", "Mia")
    page = await root.get(f"{AUDIT}?kind=ticket.taken_over")
    assert "ticket:T-59" in page.text
    [older] = re.findall(r'href="([^"]+)" rel="next"', page.text)
    assert "ticket:T-0<" in (await root.get(older.replace("&amp;", "&"))).text


async def test_broken_chain_is_said(console: Console) -> None:
    """In words, on top of the page."""
    root = await console.sign_in("Root", "admin")
    await seal_tenant(console.service.sessions, console.tenant.id)
    async with console.service.sessions.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        change = "UPDATE audit_events SET kind = 'key.revoked' WHERE tenant_id = :tenant"
        await session.execute(text(change), {"tenant": console.tenant.id})
    assert "The chain is broken. Link 1 does not fit" in words(await root.get(AUDIT))


async def test_second_admin_confirms_on_the_page(console: Console) -> None:
    """They see what changes and who asked; afterwards the version that it became."""
    ben = await console.sign_in("Ben", "admin")
    place = await asked(console)
    for page in (AUDIT, "/console/settings/policy"):
        assert f'href="{place}"' in (await ben.get(page)).text
    shown = words(await ben.get(place))
    for said in ("Loosens Refund auto limit", "Asked by admin of version 0",
                 "refund_auto_limit: none → 50.00 USD", "Confirm the change"):  # fmt: skip
        assert said in shown, said
    assert (await ben.post(place, data={"verdict": "perhaps"})).status_code == 422
    assert (await ben.post(place, data={"verdict": "confirm"})).status_code == 303
    assert "It is version 1 , confirmed by Ben" in words(await ben.get(place))
    assert (await ben.post(place, data={"verdict": "refuse"})).status_code == 409


async def test_asker_may_take_it_back_and_not_confirm(console: Console) -> None:
    """What they may not do is said, and refused when it is sent all the same."""
    await console.sign_in("Ben", "admin")
    place = await asked(console)
    browser = console.browser()
    await browser.post("/console/sign-in", data={"key": console.tenant.admin})
    shown = words(await browser.get(place))
    assert "another admin must confirm it" in shown
    assert "Confirm the change" not in shown
    refused = await browser.post(place, data={"verdict": "confirm"})
    assert refused.status_code == 403
    assert (await browser.post(place, data={"verdict": "refuse"})).status_code == 303
    assert "Refused by admin" in words(await browser.get(place))
    viewer = await console.sign_in("Ann")
    assert "your key needs the scope admin" in words(await viewer.get(await asked(console)))
