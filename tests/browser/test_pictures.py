"""Pictures of the pages, of tickets of the demo; those of docs/console.md are made here."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from app.services.tenants import policy as policies
from graphs.policy import Policy
from tests.browser.person import Office, Theme
from tests.integration.workplace import TWICE, Workplace

pytestmark = pytest.mark.browser

LIMIT_BYTES = 150_000


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_pictures(office: Office, pictures: Path, theme: Theme) -> None:
    """Inbox and card with real runs; small enough for the repository."""
    work = Workplace(office.console.service, office.console.tenant)
    async with work.service.sessions.begin() as session:
        large = Policy(refund_second_approver_from={"USD": 50_000})
        await policies.replace(session, work.tenant.id, large, None)
    quoted = f"{TWICE}.\n\n> On Monday, support wrote:\n> How can we help?"
    await work.advance(await work.start(quoted, ticket="T-1001"))
    await work.advance(
        await work.start("Please refund my annual plan payment", "cus_bob", "T-1003")
    )
    await work.advance(await work.start("I want to talk to a person now", "cus_max", "T-1005"))
    person = await office.person("Ann", theme=theme)
    await expect(person.page.locator("[data-item]")).to_have_count(3)
    await person.page.keyboard.press("j")
    await person.page.screenshot(path=pictures / f"inbox-{theme}.png")
    await person.page.get_by_text("Ticket T-1001").click()
    await expect(person.page.locator("h1")).to_contain_text("49.00 USD")
    await person.page.screenshot(path=pictures / f"card-{theme}.png", full_page=True)
    assert await person.violations() == []
    assert too_large(pictures) == []


@pytest.mark.no_articles
async def test_picture_of_a_change_of_the_policy(office: Office, pictures: Path) -> None:
    """What would change, with a run that would be treated differently."""
    work = Workplace(office.console.service, office.console.tenant)
    await work.advance(await work.start(TWICE, ticket="T-1001"))
    person = await office.person("Root", "admin", "runs:read")
    await person.go("/console/settings/policy/edit")
    await person.page.get_by_label("Refund second approver from").fill("49.00 USD")
    await person.page.get_by_role("button", name="Look at the difference").click()
    await expect(person.page.locator("h1")).to_have_text("What would change")
    await person.page.screenshot(path=pictures / "policy-light.png", full_page=True)
    assert too_large(pictures) == []


def too_large(folder: Path) -> list[str]:
    """The pictures that a repository should not hold."""
    return [path.name for path in folder.glob("*.png") if path.stat().st_size >= LIMIT_BYTES]
