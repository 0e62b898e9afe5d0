"""The console's settings and articles in a real browser: by plain forms, and looked at by axe."""

import re
from uuid import UUID

import pytest
from playwright.async_api import expect

from app.db.tenants.queries import current_policy
from tests.browser.pages import EVERYTHING, POLICY
from tests.browser.person import Office, Person, Theme
from tests.integration.workplace import Workplace

pytestmark = [pytest.mark.browser, pytest.mark.no_articles]


async def clean(person: Person) -> None:
    """axe finds nothing on the page as it stands, and its policy refused nothing."""
    for fold in await person.page.locator("main details").all():
        await fold.evaluate("fold => { fold.open = true; }")
    assert await person.axe() == [], person.page.url
    assert await person.violations() == [], person.page.url


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_policy_is_changed_with_its_difference_in_sight(office: Office, theme: Theme) -> None:
    """From the form to the difference, back to the form, and stored; each page is accessible."""
    work = Workplace(office.console.service, office.console.tenant)
    await work.advance(await work.start())
    root = await office.person("Root", *EVERYTHING, theme=theme)
    page = root.page
    await root.go(POLICY)
    await page.get_by_role("link", name="Change it").click()
    await page.get_by_label("Refund second approver from").fill("49.00 USD")
    await page.get_by_role("button", name="Look at the difference").click()
    await expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    await expect(page.get_by_text("two people must agree", exact=False).last).to_be_visible()
    await clean(root)
    await page.get_by_role("button", name="Go on changing").click()
    await expect(page.get_by_label("Refund second approver from")).to_have_value("49.00 USD")
    await page.get_by_label("Anger threshold").fill("5")
    await page.get_by_role("button", name="Look at the difference").click()
    await expect(page.get_by_role("alert")).to_contain_text("anger_threshold")
    await clean(root)
    await page.get_by_label("Anger threshold").fill("0.9")
    await page.get_by_role("button", name="Look at the difference").click()
    await page.get_by_role("button", name="Store as version 1").click()
    await expect(page.get_by_text("The policy is stored.")).to_be_visible()
    async with office.console.service.sessions() as session:
        version, body = await current_policy(session, office.console.tenant.id)
    assert (version, body["anger_threshold"]) == (1, 0.9)


async def test_keys_articles_and_replays_work_without_scripts(office: Office) -> None:
    """A key is made and ended, an article stored and found, a rehearsal done for real."""
    root = await office.person("Root", *EVERYTHING, scripts=False)
    page = root.page
    await root.go("/console/settings/keys")
    await page.get_by_label("Name", exact=True).fill("Ben <b>")
    await page.get_by_label("runs:read").check()
    await page.get_by_role("button", name="Make the key").click()
    secret = await page.locator(".secret").inner_text()
    assert re.fullmatch(r"dg_[0-9a-f]{12}_[\w-]{43}", secret)
    await root.go("/console/settings/keys")
    row = page.get_by_role("row", name="Ben <b>")
    await row.locator("summary").click()
    await row.get_by_role("button", name="Revoke for good").click()
    await expect(page.get_by_text("Ben <b>")).to_have_count(0)

    await root.go("/console/new-article")
    await page.get_by_label("Id", exact=True).fill("opening/hours")
    await page.get_by_label("Title").fill("Opening hours")
    await page.get_by_label("Text", exact=True).fill("# Hours\n\nWe are open 9 to 5.")
    await page.get_by_role("button", name="Store it").click()
    await root.go("/console/articles")
    await page.get_by_label("What would a customer's question find?").fill("when are you open")
    await page.get_by_role("button", name="Search").click()
    await page.get_by_role("link", name="Opening hours").click()
    await expect(page.get_by_text("We are open 9 to 5.")).to_be_visible()

    work = Workplace(office.console.service, office.console.tenant)
    run = await work.decide(await work.advance(await work.start()), "reject", "no")
    await root.go(f"/console/runs/{run.id}")
    step = page.locator(".timeline > li", has_text="billing").first
    await step.locator("summary").first.click()
    await step.get_by_role("button", name="Rehearse from here").click()
    await page.wait_for_url(lambda url: str(run.id) not in url)
    await work.advance(await work.run(UUID(page.url.rsplit("/", 1)[1])))
    await page.reload()
    await page.get_by_label("Type the ticket's id").fill("T-1")
    await page.get_by_role("button", name="Replay for real").click()
    await expect(page.get_by_text("replays another run")).to_be_visible()
    real = await work.run(UUID(page.url.rsplit("/", 1)[1]))
    assert (real.replay_of, real.dry_run) == (run.id, False)
