"""A real browser at a real console, with people who are signed in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from app.db.core.connections import Sessions
from app.execution.wiring import Service
from tests.browser.chromium import NoBrowserError, chromium
from tests.browser.person import Office
from tests.conftest import Tenant
from tests.integration.conftest import Begin, begin, database_url, service, sessions
from tests.integration.console import serving_console

__all__ = ["begin", "database_url", "service", "sessions"]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's chromium."""
    try:
        program = chromium()
    except NoBrowserError as error:
        pytest.skip(str(error))
    async with async_playwright() as playwright:
        # Its sandbox refuses root; what it loads here is ours.
        opened = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"], chromium_sandbox=False
        )
        yield opened
        await opened.close()


@pytest.fixture
async def office(
    browser: Browser, service: Service, sessions: Sessions, tenant: Tenant, begin: Begin
) -> AsyncIterator[Office]:
    """A tenant's console, and the people who sit at it."""
    async with serving_console(service, tenant, begin) as console:
        opened = Office(browser, console)
        yield opened
        await opened.close()


@pytest.fixture(scope="session")
def pictures(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages' pictures go: the docs when that is asked for, else a folder that goes."""
    folder = pytestconfig.getoption("--pictures")
    return Path(folder) if folder else tmp_path_factory.mktemp("pictures")
