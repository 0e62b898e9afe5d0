"""The console's page of figures: every number leads to its runs, and the list knows its filters."""

import re
from collections.abc import AsyncIterator

import pytest

from app.execution.wiring import Service
from tests.conftest import Tenant
from tests.integration.conftest import Begin
from tests.integration.console import Console, serving_console, words
from tests.integration.figures import History, good_and_bad

pytestmark = pytest.mark.no_articles
LINK = re.compile(r'href="(/console/runs\?[^"]+)"[^>]*>(\d+)')


@pytest.fixture
async def console(service: Service, tenant: Tenant, begin: Begin) -> AsyncIterator[Console]:
    """The console of a tenant."""
    async with serving_console(service, tenant, begin) as opened:
        yield opened


async def test_every_number_leads_to_as_many_runs(console: Console, service: Service) -> None:
    """The list behind a link has as many runs as the link says."""
    await good_and_bad(History(service.sessions, console.tenant))
    ann = await console.sign_in("Ann")
    page = await ann.get("/console/figures", params={"window": "1h"})
    assert page.status_code == 200
    links = LINK.findall(page.text.replace("&amp;", "&"))
    assert len(links) > 15
    for link, number in links:
        listed = await ann.get(link)
        assert listed.status_code == 200, link
        runs = re.findall(r'href="/console/runs/[0-9a-f-]+"', listed.text)
        assert len(runs) == int(number), link


async def test_page_names_what_failed_and_where(console: Console, service: Service) -> None:
    """Each with a run; the same figures as the API's."""
    await good_and_bad(History(service.sessions, console.tenant))
    ann = await console.sign_in("Ann")
    page = await ann.get("/console/figures", params={"window": "1h"})
    text = words(page)
    for said in (
        "node billing PaymentsAwayError 1", "model gpt-5 APITimeoutError 1",
        "fallback gpt-5-mini circuit_open 1", "run tool_failed 1", "run refused 1", "run lost 1",
        "Acted 2", "66.7 %", "respond 2", "Plan 2", "2 approved",
    ):  # fmt: skip
        assert said in text.replace(" : ", ": ").replace(":", ""), said
    assert len(page.content) < 100_000


async def test_window_stands_in_the_address(console: Console) -> None:
    """An empty tenant has a page as well; a window that there is not is an error in words."""
    ann = await console.sign_in("Ann")
    for window in ("1h", "24h", "7d", "30d"):
        page = await ann.get("/console/figures", params={"window": window})
        assert page.status_code == 200
        current = re.findall(r'window=(\w+)" aria-current="page"', page.text)
        assert current == [window]
    assert (await ann.get("/console/figures", params={"window": "1y"})).status_code == 422


async def test_figures_need_the_scope_that_reads_runs(console: Console) -> None:
    """As over the API."""
    pat = await console.sign_in("Pat", "approvals:decide")
    assert (await pat.get("/console/figures")).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "status=lost", "cost_from=-1", "cost_from=nan", "mark=x", "finished_from=tomorrow",
        "finished_from=2026-11-22T09:00:00", "node=%07", f"model={'m' * 300}", "outcome=x",
    ],
)  # fmt: skip
async def test_strange_filter_is_refused_in_words(console: Console, query: str) -> None:
    """And never an error of ours."""
    ann = await console.sign_in("Ann")
    assert (await ann.get(f"/console/runs?{query}")).status_code == 422


async def test_other_filters_are_named_and_can_be_dropped(
    console: Console, service: Service
) -> None:
    """They stay when the form is sent, and when an older page is opened."""
    await good_and_bad(History(service.sessions, console.tenant))
    ann = await console.sign_in("Ann")
    page = await ann.get("/console/runs", params={"model": "gpt-5-mini", "status": "error"})
    assert "Model: gpt-5-mini drop" in words(page)
    assert '<input type="hidden" name="model" value="gpt-5-mini">' in page.text
    assert 'href="/console/runs?status=error"' in page.text
