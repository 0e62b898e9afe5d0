"""The console in a real browser: by keyboard, without scripts, in both themes, hostile texts."""

import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.pages import EVERYTHING, HOSTILE, pages_of
from tests.browser.person import Office, Person, Theme
from tests.integration.claims import claim_one
from tests.integration.conftest import WORKER
from tests.integration.console import card

pytestmark = [pytest.mark.browser, pytest.mark.no_articles]

TWENTY = 20


async def opened(
    office: Office, *paths: str, theme: Theme, width: int = 1280
) -> AsyncIterator[Person]:
    """A person who goes to each of the pages."""
    person = await office.person("Ann", *EVERYTHING, theme=theme, width=width)
    for path in paths:
        await person.go(path)
        yield person


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_page_is_accessible_and_keeps_to_its_policy(
    office: Office, theme: Theme
) -> None:
    """axe finds nothing, the policy refuses nothing, and no text of a ticket does anything."""
    paths = ["/console/sign-in", *await pages_of(office)]
    async for person in opened(office, *paths, theme=theme):
        for fold in await person.page.locator("details:not(.me)").all():
            await fold.evaluate("fold => { fold.open = true; }")
        assert await person.axe() == [], person.page.url
        assert await person.violations() == [], person.page.url
    await person.go("/console")
    await person.page.keyboard.press("?")
    await expect(person.page.locator("#keys")).to_be_visible()
    assert await person.axe() == []


async def test_every_page_fits_a_screen_zoomed_to_400_percent(office: Office) -> None:
    """At 320 CSS pixels nothing has to be scrolled sideways, whatever stands in a ticket."""
    too_wide: dict[str, int] = {}
    async for person in opened(office, *await pages_of(office), theme="light", width=320):
        width: int = await person.page.evaluate("document.documentElement.scrollWidth")
        if width > 320:
            too_wide[person.page.url] = width
    assert too_wide == {}


async def test_hostile_texts_are_texts(office: Office) -> None:
    """In every field they stand as they were written, marks that reorder text escaped."""
    run = await office.console.desk.write(HOSTILE, ticket="T-<b>9", customer="cus_<i>max")
    step = {
        "id": HOSTILE[:40], "tool": "refund_payment", "reason": HOSTILE, "risk": HOSTILE,
        "args": {"payment_id": "pay_1", "amount_minor": 4900, "currency": "USD",
                 "reason": HOSTILE},
        "editable": ["amount_minor"],
        "evidence": [{"kind": "payment", "id": HOSTILE, "summary": HOSTILE}],
    }  # fmt: skip
    async with office.console.service.sessions.begin() as session:
        claimed = await claim_one(session, run.id, WORKER)
    assert claimed is not None
    await office.console.desk.stop(claimed, "gate-1", steps=[step], gate=[HOSTILE])
    approval = await office.console.desk.approval(run)
    person = await office.person("<b>Ann</b>")
    for path in ("/console", card(approval)):
        await person.go(path)
        main = await person.page.locator("main").inner_text()
        assert "<script>alert(1)</script>" in main
        assert "\\u202egnp.eciovni" in main
        assert r"\U000e0075\U000e006e" in main
        assert await person.page.locator("main script, main img").count() == 0
        assert await person.violations() == []


async def read_to_the_end(page: Page) -> None:
    """Press `a` as often as it leads on to what was not seen, until it reaches the button."""
    for _ in range(30):
        await page.keyboard.press("a")
        if await page.evaluate("document.activeElement.hasAttribute('data-approve')"):
            return
    raise AssertionError("the button was never reached")


async def test_no_key_acts_on_a_card_that_was_not_wholly_seen(office: Office) -> None:
    """On a small screen `a` leads down the card first; `r` and `e` do as well."""
    _, approval = await office.console.paused(gate=["too much"] * 60)
    person = await office.person("Ann", height=500)
    await person.go(card(approval))
    for key in "are":
        await person.page.keyboard.press(key)
        assert await person.page.evaluate("document.activeElement === document.body")
        await expect(person.page.get_by_text("Read it to its end first.")).to_be_visible()
    await person.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    await person.page.keyboard.press("a")
    assert not await person.page.evaluate("document.activeElement.hasAttribute('data-approve')")
    await person.page.evaluate("window.scrollTo(0, 0)")
    await read_to_the_end(person.page)
    assert await office.console.desk.decisions(approval) == []


async def test_twenty_cards_by_keyboard_alone(office: Office) -> None:
    """From the inbox on, without a mouse: each is read to its end, then approved."""
    approvals = [
        (await office.console.paused(f"T-{number}", expires_in_seconds=3600 + number))[1]
        for number in range(TWENTY)
    ]
    person = await office.person("Ann")
    await expect(person.page.locator("[data-item]")).to_have_count(TWENTY)
    begun = time.monotonic()
    await person.page.keyboard.press("j")
    await person.page.keyboard.press("Enter")
    for approval in approvals:
        await person.page.wait_for_url(f"**{card(approval)}*")
        await read_to_the_end(person.page)
        await person.page.keyboard.press("Enter")
    await person.page.wait_for_url("**/console?answered=*")
    took = time.monotonic() - begun
    for approval in approvals:
        [decision] = await office.console.desk.decisions(approval)
        assert decision.verdict == "approve"
    print(f"{TWENTY} cards in {took:.1f} s")  # noqa: T201  # a measurement, shown with -s
    assert await person.violations() == []


async def test_everything_works_without_scripts(office: Office) -> None:
    """Sign in, open, edit, reject and sign out by plain forms."""
    run, _ = await office.console.paused("T-1")
    other_run, _ = await office.console.paused("T-2", expires_in_seconds=7200)
    person = await office.person("Ann", scripts=False)
    page = person.page
    await page.get_by_text("T-1").click()
    await page.get_by_text("Edit", exact=True).click()
    await page.get_by_label("Amount, at most 600.00 USD").fill("12.34")
    await page.get_by_role("button", name="Approve with these changes").click()
    await page.wait_for_url("**/approvals/*answered=*")
    decision = (await office.console.desk.approval(run)).decision
    assert decision is not None
    assert [step["args"]["amount_minor"] for step in decision["steps"]] == [1234, 4900]
    await page.get_by_text("Reject, hand to a person").click()
    await page.get_by_label("Why? The person who goes on reads it.").fill("No receipt")
    await page.get_by_role("button", name="Reject", exact=True).click()
    await page.wait_for_url("**/console?answered=*")
    assert (await office.console.desk.approval(other_run)).status == "rejected"
    await page.locator(".me summary").click()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.wait_for_url("**/sign-in?out=1")


async def test_two_people_on_one_card(office: Office) -> None:
    """The first answer wins; the other sees by whom, live, and has nothing left to press."""
    _, approval = await office.console.paused()
    ann, ben = await office.person("Ann"), await office.person("Ben")
    for person in (ann, ben):
        await person.go(card(approval))
    await ben.page.get_by_text("Reject, hand to a person").click()
    await ben.page.get_by_label("Why? The person who goes on reads it.").fill("half written")
    await ann.page.locator("button[data-approve]").click()
    await expect(ben.page.locator("#state")).to_contain_text("Approved by Ann")
    await expect(ben.page.locator("#answer form")).to_have_count(0)
    await expect(ben.page.locator(".count")).to_have_text("0")
    assert await ben.violations() == []


async def test_inbox_is_live_and_says_when_it_is_not(office: Office) -> None:
    """A new approval appears by itself; a stream that breaks is said, and comes back."""
    person = await office.person("Ann")
    await expect(person.page.locator(".count")).to_have_text("0")
    await office.console.paused("T-1")
    await expect(person.page.locator("[data-item]")).to_have_count(1)
    await expect(person.page.locator(".count")).to_have_text("1")
    await expect(person.page.locator("#waiting-all")).to_have_text("1")
    await expect(person.page.locator("#waiting-plan")).to_have_text("1")

    async def refuse(route: Route) -> None:
        await route.abort()

    await person.page.route("**/console/live", refuse)
    await person.page.reload()
    await expect(person.page.locator("#offline")).to_be_visible()
    await person.page.unroute("**/console/live")
    await expect(person.page.locator("#offline")).to_be_hidden(timeout=20_000)
    await office.console.paused("T-2")
    await expect(person.page.locator("[data-item]")).to_have_count(2)


async def test_difference_of_an_edit_is_shown_before_it_is_sent(office: Office) -> None:
    """What was, and what will be."""
    _, approval = await office.console.paused()
    person = await office.person("Ann", height=2000)
    await person.go(card(approval))
    await person.page.keyboard.press("e")
    await person.page.get_by_label("Amount, at most 600.00 USD").fill("100.00")
    await person.page.get_by_label("Leave this step out").last.check()
    lines = await person.page.locator(".difference li").all_inner_texts()
    assert lines == ["Amount: 600.00 → 100.00", "Refund payment 49.00 USD: left out"]


async def test_keys_can_be_switched_off(office: Office) -> None:
    """A person who speaks to their computer must not approve by a word."""
    await office.console.paused()
    person = await office.person("Ann")
    await person.page.keyboard.press("?")
    await person.page.get_by_label("Switch these keys off in this browser").check()
    await person.page.get_by_role("button", name="Close").click()
    await person.page.keyboard.press("j")
    assert not await person.page.evaluate("document.activeElement.hasAttribute('data-item')")


async def test_browser_is_debians(browser: Browser) -> None:
    """The tests speak of a browser that people use."""
    assert int(browser.version.split(".")[0]) > 100
