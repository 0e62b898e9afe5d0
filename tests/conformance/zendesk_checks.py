"""What the test of a Zendesk connection says: the list of docs/connect/zendesk.md, line by line."""

from typing import Any

import pytest

from app.connectors.zendesk import ZENDESK
from app.connectors.zendesk.hook import NEEDED, TYPE
from tests.conformance.findings import survives_every_answer
from tests.conformance.helpdesk import ASKED, REPLY, posted
from tests.conformance.zendesk import ZendeskHarness
from tests.doubles.zendesk_hooks import ZdWebhook
from tests.doubles.zendesk_state import BOT, CUSTOMER

EVENTS = [f"{TYPE}{name}" for name in NEEDED]


class ZendeskChecks:
    """One law for each finding."""

    async def test_check_finds_all_in_order(self, harness: ZendeskHarness) -> None:
        """Every finding is good, in whole sentences, and nothing was changed."""
        ready(harness)
        ticket_id = await harness.open_ticket("Check", ASKED)
        await posted(harness, ticket_id, REPLY)
        before = len(harness.at(ticket_id).audits)
        found = await ZENDESK.test(harness.opened)
        assert [check.name for check in found] == [
            "connection", "clock", "bot", "reading", "writing", "groups", "keys", "webhook",
            "signature",
        ]  # fmt: skip
        assert all(check.ok for check in found), found
        assert all(check.says.endswith(".") for check in found)
        assert "our keys stand" in f"{found[6].says}".lower()
        assert len(harness.at(ticket_id).audits) == before

    @pytest.mark.parametrize(
        ("settings", "name", "words"),
        [
            ({"bot_id": "2000"}, "bot", "set bot_id to that"),
            ({"scope": "tickets:read users:read"}, "writing", "tickets:write"),
            ({"scope": "users:read"}, "reading", "tickets:read"),
            ({"groups": {"billing": "Money"}}, "groups", "no group Money"),
            ({"handback_tag": "to_bot"}, "webhook", "tags_changed"),
        ],
    )
    async def test_check_says_what_is_wrong(
        self, harness: ZendeskHarness, settings: dict[str, Any], name: str, words: str
    ) -> None:
        """One finding names it."""
        ready(harness)
        await harness.open_ticket("Check", ASKED)
        harness.settings |= settings
        found = await ZENDESK.test(harness.opened)
        said = " ".join(check.says for check in found if not check.ok)
        assert words in said
        assert name in {check.name for check in found if not check.ok}

    async def test_check_says_in_which_order_updates_come(self, harness: ZendeskHarness) -> None:
        """It matters for very long tickets only."""
        ready(harness)
        harness.say(await harness.open_ticket("Check", ASKED), CUSTOMER, "More.")
        harness.double.ignores_sort = True
        found = {check.name: check for check in await ZENDESK.test(harness.opened)}
        assert "oldest first" in found["reading"].says
        assert found["reading"].ok

    @pytest.mark.parametrize("status", ["missing", "inactive", "end user", "hand"])
    async def test_check_says_what_only_the_account_shows(
        self, harness: ZendeskHarness, status: str
    ) -> None:
        """Each of the list for the first day."""
        ready(harness)
        ticket_id = await harness.open_ticket("Check", ASKED)
        name = "webhook"
        match status:
            case "missing":
                harness.double.webhooks.clear()
            case "inactive":
                harness.double.webhooks[0].status = "inactive"
            case "end user":
                harness.double.users[BOT].role = "end-user"
                name = "bot"
            case _:
                harness.say(ticket_id, BOT, "By hand.")
                name = "keys"
        found = await ZENDESK.test(harness.opened)
        assert name in {check.name for check in found if not check.ok}

    async def test_check_survives_every_answer(self, harness: ZendeskHarness) -> None:
        """Neither an error nor half a page is an exception."""
        ready(harness)
        await harness.open_ticket("Check", ASKED)
        await survives_every_answer(harness, ZENDESK)


def ready(harness: ZendeskHarness) -> None:
    """An account that is set up as docs/connect/zendesk.md says."""
    harness.double.users[BOT].role = "admin"
    hook = ZdWebhook("https://deskgraph.example.com/v1/hooks/con_1", EVENTS)
    harness.double.webhooks.append(hook)
    harness.settings["groups"] = {"billing": "Finance"}
