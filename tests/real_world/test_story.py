"""One tenant on real software: Request Tracker as its desk, localstripe as its provider.

From a customer's mail to RT until RT's mail back, with lost answers, a person who takes over, and a
hand-back; API and worker are processes of their own.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.acceptance.connected import Connected
from tests.acceptance.stack import Stack, running
from tests.conformance.request_tracker import (
    BOT,
    CUSTOMER,
    RequestTrackerHarness,
    request_tracker,
)
from tests.conftest import Tenant
from tests.doubles.own_desk import until
from tests.doubles.server import serving
from tests.real_world import localstripe, request_tracker_server
from tests.real_world.environments import NotInstalledError, environment_of

pytestmark = [pytest.mark.real_world, pytest.mark.timeout(900)]

E42 = "My upload fails with error E42. How do I fix it?"
TWICE = "I was charged twice, please refund one of them"
# RT takes up to a second for a call, and a reply needs several.
PATIENCE_SECONDS = 90.0
ACKNOWLEDGED = "automatically generated in response to the creation"


@dataclass(frozen=True, slots=True)
class Books:
    """A customer at localstripe who paid twice, behind a line that can lose answers."""

    line: localstripe.Line
    url: str
    customer: str
    paid: list[str]

    async def booked(self) -> list[int]:
        """The refunds of the two payments."""
        found = []
        for charge in self.paid:
            path = f"/v1/refunds?charge={charge}"
            listed = await localstripe.ask(self.line.upstream, "GET", path)
            found += [refund["amount"] for refund in listed["data"]]
        return found


@dataclass(frozen=True, slots=True)
class Tenancy(Connected):
    """The tenant, its RT, and its books at localstripe."""

    rt: RequestTrackerHarness
    books: Books

    async def eventually(self, condition: Any) -> Any:
        """What the condition answers once it is true; asked in a thread."""
        return await asyncio.to_thread(until, condition, PATIENCE_SECONDS)

    async def answers(self, ticket_id: str) -> list[str]:
        """Our mails to the customer of the ticket, beside RT's own acknowledgement."""
        said = await self.rt.customer_saw(ticket_id)
        return [text for text in said if ACKNOWLEDGED not in text]

    async def answered(self, ticket_id: str) -> list[str]:
        """The same, once there is one."""
        for _ in range(int(PATIENCE_SECONDS * 5)):
            if said := await self.answers(ticket_id):
                return said
            await asyncio.sleep(0.2)
        raise AssertionError(f"the customer got {await self.rt.customer_saw(ticket_id)}")


@pytest.fixture
async def tenancy(database_url: str, tenant: Tenant, tmp_path: Path) -> AsyncIterator[Tenancy]:
    """All of it, started afresh."""
    try:
        request_tracker_server.install()
        environment_of(localstripe.VERSION)
    except (request_tracker_server.CannotInstallError, NotInstalledError) as error:
        pytest.skip(str(error))
    (tmp_path / "stack").mkdir()
    (tmp_path / "rt").mkdir()
    async with AsyncExitStack() as opened:
        stack = opened.enter_context(running(Stack(database_url, tmp_path / "stack")))
        await asyncio.to_thread(stack.api)
        await asyncio.to_thread(stack.worker)
        admin = stack.client(tenant.admin)
        asked = {
            "kind": "request_tracker",
            "name": "RT",
            # RT is not there yet: its scrip needs our address first.
            "settings": {"base_url": "http://127.0.0.1:1", "bot": BOT},
            "credentials": {"token": "1-1-" + "0" * 32},
        }
        made = admin.http.post("/v1/connections", json=asked)
        assert made.status_code == 201, made.text
        connection = made.json()
        hook_url = f"{stack.url}{connection['hook_path']}"
        server = opened.enter_context(
            request_tracker_server.running(tmp_path / "rt", hook_url, connection["hook_secret"])
        )
        tokens = (server.token, server.clerk_token)
        rt = await opened.enter_async_context(
            request_tracker(server.url, tokens, server.password, server.mails, PATIENCE_SECONDS)
        )
        changed = {
            "settings": {
                # Through the line that can lose answers.
                "base_url": rt.proxy.url,
                "bot": BOT,
                "external_id_field": "CustomerId",
            },
            "credentials": {"token": server.token},
        }
        path = f"/v1/connections/{connection['id']}"
        assert (await asyncio.to_thread(admin.http.patch, path, json=changed)).status_code == 200
        url = opened.enter_context(localstripe.running())
        line = localstripe.Line(url)
        line_url = opened.enter_context(serving(line.app))
        customer, card = await localstripe.new_customer(url)
        paid = [await localstripe.new_payment(url, customer, card, 4900, "usd") for _ in range(2)]
        books = Books(line, line_url, customer, paid)
        yield Tenancy(
            connection["id"],
            admin,
            stack.client(tenant.approver),
            stack.client(tenant.starter),
            rt,
            books,
        )


async def test_a_whole_story(tenancy: Tenancy) -> None:
    """A question answered, a refund approved, a person and back; each once on their side."""
    rt = tenancy.rt
    # An answer is lost on the way; the customer gets one mail.
    asked = await rt.open_ticket("Upload", E42)
    rt.lose_answer(2)
    await tenancy.answered(asked)
    reply = await asyncio.to_thread(tenancy.settled, asked, "reply")
    assert reply["status"] == "sent"
    assert len(await tenancy.answers(asked)) == 1

    # A refund for a customer whom RT knows, while the provider loses two answers.
    connect_stripe(tenancy)
    await rt.as_person(
        "PUT",
        f"/user/{quote(CUSTOMER, safe='@')}",
        {"CustomFields": {"CustomerId": tenancy.books.customer}},
    )
    wanted = await rt.open_ticket("Refund", TWICE)
    run = await asyncio.to_thread(tenancy.rested, wanted)
    assert run["status"] == "interrupted", (run["escalation"], run["plan"])
    tenancy.books.line.lose = 2
    decided = await asyncio.to_thread(tenancy.approver.decide, run, "approve")
    assert decided.status_code == 202
    [said_of_refund] = await tenancy.answered(wanted)
    assert "49.00 USD" in said_of_refund
    assert await tenancy.books.booked() == [4900]

    # A person takes a ticket: silence. Handed back, the bot answers what waits.
    taken = await rt.open_ticket("Mine", "Hello?")
    await asyncio.to_thread(tenancy.settled, taken, "reply")
    await rt.assign_person(taken)
    before = await tenancy.answers(taken)
    await rt.customer_writes(taken, E42)
    run = await asyncio.to_thread(tenancy.rested, taken, 2)
    assert (run["outcome"], run["ignored"]) == ("ignored", "human_has_it")
    assert await tenancy.answers(taken) == before
    await rt.hand_back(taken)
    for _ in range(int(PATIENCE_SECONDS * 5)):
        if len(await tenancy.answers(taken)) > len(before):
            return
        await asyncio.sleep(0.2)
    raise AssertionError("handed back, it says nothing")


def connect_stripe(tenancy: Tenancy) -> None:
    """Connect the line to localstripe as the tenant's provider."""
    asked = {
        "kind": "stripe",
        "name": "Stripe",
        "settings": {"api_base": tenancy.books.url},
        "credentials": {"api_key": localstripe.KEY},
    }
    made = tenancy.admin.http.post("/v1/connections", json=asked)
    assert made.status_code == 201, made.text
