"""People at browsers, and all that their browsers complain about."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]  # untyped
from playwright.async_api import Browser, BrowserContext, Page

from tests.integration.console import Console

Theme = Literal["light", "dark"]
# Collected before a page's own scripts run.
LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


@dataclass(slots=True)
class Person:
    """One person at one page."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        """Open an address of the console, and wait until it is live."""
        await self.page.goto(path)
        await self.page.wait_for_load_state("load")

    async def violations(self) -> list[str]:
        """What the page's policy refused, and every error in the console of the browser."""
        refused: list[str] = await self.page.evaluate("window.violations")
        return [*refused, *self.complaints]

    async def axe(self) -> list[str]:
        """What axe finds wrong with the page as it stands."""
        await self.page.evaluate(AXE_SCRIPT)
        found: dict[str, Any] = await self.page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', "
            "'wcag22aa', 'best-practice']})"
        )
        return [
            json.dumps([one["id"], one["help"], [node["target"] for node in one["nodes"]],
                        one["nodes"][0].get("failureSummary")])
            for one in found["violations"]
        ]  # fmt: skip

    async def focused(self) -> str:
        """The text of what has the focus."""
        text: str = await self.page.evaluate(
            "document.activeElement.innerText || document.activeElement.id"
        )
        return " ".join(text.split())


@dataclass(slots=True)
class Office:
    """A tenant's console and the people at it."""

    browser: Browser
    console: Console
    people: list[Person] = field(default_factory=list)

    async def person(
        self,
        name: str = "",
        *scopes: str,
        theme: Theme = "light",
        width: int = 1280,
        scripts: bool = True,
        height: int = 860,
    ) -> Person:
        """A person at a new browser; with a name they are signed in by a key of that name."""
        context = await self.browser.new_context(
            base_url=self.console.url,
            color_scheme=theme,
            viewport={"width": width, "height": height},
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        await context.add_init_script(LISTEN)
        page = await context.new_page()
        person = Person(page, context)
        page.on("pageerror", lambda error: person.complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: person.complaints.append(f"dialog: {dialog.message}"))
        self.people.append(person)
        if name:
            await self._sign_in(person, await self.console.key(name, *scopes))
        return person

    async def _sign_in(self, person: Person, key: str) -> None:
        await person.go("/console/sign-in")
        await person.page.fill("#key", key)
        await person.page.press("#key", "Enter")
        await person.page.wait_for_url("**/console")

    async def close(self) -> None:
        """Everybody leaves."""
        for person in self.people:
            await person.context.close()
