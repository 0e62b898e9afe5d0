"""The inbox's lists of one person and of their group, and the way from a card to the desk."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from app.db.effects.handoffs import put_agents
from app.execution.wiring import Service
from app.services.connections import manage
from app.services.connections.encryption import vault_of
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.console import Console, card, serving_console, words
from tests.integration.workplace import Workplace

pytestmark = pytest.mark.no_articles


@pytest.fixture
async def console(service: Service, tenant: Tenant, begin: Begin) -> AsyncIterator[Console]:
    """The console of a tenant."""
    async with serving_console(service, tenant, begin) as opened:
        yield opened


async def hire(console: Console, agent_id: str, name: str, *skills: str) -> None:
    """A person who takes hand-offs at any hour."""
    row = {
        "tenant_id": console.tenant.id, "id": agent_id, "name": name, "skills": list(skills),
        "timezone": "UTC", "opens_hour": 0, "closes_hour": 24, "weekdays": [1, 2, 3, 4, 5, 6, 7],
        "away": False, "max_load": 100,
    }  # fmt: skip
    async with console.service.sessions.begin() as session:
        await put_agents(session, [row])


async def tickets(browser: httpx.AsyncClient, view: str, **more: str) -> list[str]:
    """The tickets of a list, in its order."""
    page = await browser.get("/console", params={"view": view, **more})
    return re.findall(r"Ticket <bdi>(T-[\w-]+)", page.text)


async def waiting(console: Console) -> None:
    """A plan about money, and a hand-off of a customer who asks for a person."""
    work = Workplace(console.service, console.tenant)
    await work.advance(await work.start(ticket="T-money"))
    await work.advance(await work.start("I want to talk to a person now", ticket="T-person"))


async def test_group_is_what_an_agent_of_that_name_takes(console: Console) -> None:
    """By the name of the key or its person, however it is spelled; for others there is none."""
    await hire(console, "ann@example.com", "Ann Arbor", "billing", "technical")
    await hire(console, "cleo", "Cleo", "complaints")
    await waiting(console)
    ann = console.browser()
    key = await console.key("Key 1", person="ANN@example.com")
    await ann.post("/console/sign-in", data={"key": key})
    cleo, nora = await console.sign_in("  CLEO"), await console.sign_in("Nora")
    assert await tickets(ann, "group") == ["T-money"]
    assert await tickets(ann, "group", kind="plan") == ["T-money"]
    assert await tickets(ann, "group", kind="handoff") == []
    assert await tickets(cleo, "group") == ["T-person"]
    for browser in (ann, cleo, nora):
        assert len(await tickets(browser, "")) == 2
    assert "My group's" in words(await ann.get("/console"))
    assert "All 1 Plans 1" in words(await ann.get("/console?view=group"))
    assert "My group's" not in words(await nora.get("/console"))
    assert "you are in no group" in words(await nora.get("/console?view=group"))
    assert await tickets(nora, "group") == []


async def test_mine_has_the_handoffs_that_are_with_me(console: Console) -> None:
    """Beside what I claimed; those of others are not mine."""
    await hire(console, "cleo", "Cleo Cole", "complaints")
    await waiting(console)
    ann = await console.sign_in("Ann")
    [holder] = re.findall(r"with (\w+ \w+)", words(await ann.get("/console?kind=handoff")))
    assert await tickets(await console.sign_in(holder), "mine") == ["T-person"]
    assert await tickets(ann, "mine") == []
    [item] = re.findall(r'id="item-([0-9a-f-]+)" class="open" href="/console/approvals', (
        await ann.get("/console")).text)  # fmt: skip
    await ann.post(f"/console/items/{item}/claim", data={})
    assert await tickets(ann, "mine") == ["T-money"]


async def test_ticket_of_a_desk_is_one_click_away(console: Console) -> None:
    """From the card and from the run; no other tenant's connection names an address."""
    async with console.service.sessions.begin() as session:
        vault = vault_of(console.service.settings)
        row, _ = await manage.add(
            session, vault, console.tenant.id, "zammad", "Our <b>desk</b>",
            {"base_url": "https://desk.example.com", "bot": "b"}, {"token": "t"},
        )  # fmt: skip
    run, approval = await console.paused(f"{row.id}:42")
    ann = await console.sign_in("Ann")
    link = '<a href="https://desk.example.com/#ticket/zoom/42" rel="noreferrer">'
    for path in (card(approval), f"/console/runs/{run.id}"):
        page = await ann.get(path)
        assert link in page.text
        assert "open in Our <b>desk</b>" in words(page)
    _, foreign = await console.paused("con_aaaaaaaaaaaaaaaa:42", expires_in_seconds=60)
    assert "open in" not in words(await ann.get(card(foreign)))


async def test_group_pages_in_the_order_of_the_list(console: Console) -> None:
    """Through both skills and both kinds, without a gap and without a double."""
    await hire(console, "ann", "Ann", "billing", "general")
    for number in range(30):
        await console.paused(f"T-{number:02}", expires_in_seconds=3600 + number)
    ann = await console.sign_in("Ann")
    first = await ann.get("/console?view=group")
    [link] = re.findall(r'<a href="(/console\?[^"]*cursor[^"]*)" rel="next"', first.text)
    seen = re.findall(r"Ticket <bdi>(T-\w+)", first.text)
    seen += re.findall(r"Ticket <bdi>(T-\w+)", (await ann.get(link.replace("&amp;", "&"))).text)
    assert seen == [f"T-{number:02}" for number in range(30)]
