"""A callback is delivered at least once, under one id, and only where it may go."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network

import pytest

from app.adapters.webhooks.delivery import Receipt, Sender
from app.adapters.webhooks.ssrf_guard import make_guard, parse, system_resolve
from app.db.core.connections import Sessions
from app.db.tables.webhooks import Callback
from app.db.webhooks.secrets import signing_secrets
from app.errors import NotFoundError
from app.execution.wiring import Service
from app.services.webhooks import outbox
from app.services.webhooks import signing_secrets as signing
from app.worker.webhook_dispatcher import WebhookDispatcher
from tests.conftest import Tenant
from tests.doubles.receiver import Receiver
from tests.doubles.server import silent_server
from tests.integration.conftest import Begin
from tests.integration.outbox import (
    always,
    attempt,
    claim,
    make_due,
    noted_body,
    rows,
    running,
    seconds_to_go,
    settle,
)
from tests.integration.paused import Desk

pytestmark = pytest.mark.no_articles

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture
def desk(sessions: Sessions, tenant: Tenant, begin: Begin) -> Desk:
    """A tenant with people who answer."""
    return Desk(sessions, tenant, begin)


@pytest.fixture
async def dispatcher(service: Service) -> AsyncIterator[WebhookDispatcher]:
    """Delivers to this machine."""
    async with Sender(make_guard(LOOPBACK), 2) as sender:
        yield WebhookDispatcher(service, sender, asyncio.Event())


async def test_late_end_of_an_older_attempt_changes_nothing(
    desk: Desk, dispatcher: WebhookDispatcher
) -> None:
    """A frozen worker comes back after another worker has it."""
    await settle(desk, await running(desk, "https://127.0.0.1:1/"))
    [frozen] = await claim(desk)
    await make_due(desk)
    [other] = await claim(desk)
    await dispatcher.deliver(frozen)
    [row] = await rows(desk)
    assert (row.attempts, row.last_error, row.status) == (other.attempts, None, "pending")


async def test_delivery_is_signed_by_every_secret(
    desk: Desk, dispatcher: WebhookDispatcher, receiver: Receiver, url: str
) -> None:
    """The one from before a rotation is good for a day, and then is not."""
    run = await running(desk, url)
    await settle(desk, run)
    async with desk.sessions.begin() as session:
        first = (await signing.issue(session, desk.tenant.id)).secret
    async with desk.sessions.begin() as session:
        assert await signing_secrets(session, desk.tenant.id) == [first], "it signed already"
        second = (await signing.issue(session, desk.tenant.id)).secret
    row = await attempt(desk, dispatcher)
    [delivery] = receiver.deliveries
    assert delivery.verified(first) == delivery.verified(second) == noted_body(row)
    assert (delivery.id, delivery.path) == (str(row.id), "/hook")
    assert (row.status, row.last_error) == ("delivered", None)
    async with desk.sessions.begin() as session:
        third = await signing.issue(session, desk.tenant.id, overlap=timedelta(0))
    async with desk.sessions() as session:
        assert await signing_secrets(session, desk.tenant.id) == [third.secret]


async def test_failure_is_tried_again_under_the_same_id(
    desk: Desk, dispatcher: WebhookDispatcher, receiver: Receiver, url: str
) -> None:
    """The first wait is about 5 s; the second attempt delivers the same body."""
    await settle(desk, await running(desk, url))
    receiver.status = 500
    row = await attempt(desk, dispatcher)
    assert (row.status, row.last_error) == ("pending", "HTTP 500")
    assert 3 < await seconds_to_go(desk, row) <= 5.5
    receiver.status = 200
    assert (await attempt(desk, dispatcher)).status == "delivered"
    first, second = receiver.deliveries
    assert (first.id, first.body) == (second.id, second.body)


async def test_receiver_is_left_alone_as_long_as_it_asks(
    desk: Desk, dispatcher: WebhookDispatcher, receiver: Receiver, url: str
) -> None:
    """`Retry-After` with 429."""
    await settle(desk, await running(desk, url))
    receiver.status, receiver.headers = 429, {"Retry-After": "3600"}
    row = await attempt(desk, dispatcher)
    assert 3500 < await seconds_to_go(desk, row) <= 3600


async def test_redirect_is_not_followed(
    desk: Desk, dispatcher: WebhookDispatcher, receiver: Receiver, url: str
) -> None:
    """It could lead where the guard would not let the URL itself."""
    await settle(desk, await running(desk, url))
    receiver.status, receiver.headers = 307, {"Location": "/elsewhere"}
    row = await attempt(desk, dispatcher)
    assert row.status == "pending"
    assert "redirect" in str(row.last_error)
    assert [delivery.path for delivery in receiver.deliveries] == ["/hook"]


async def test_gone_disables_the_url_until_a_resend(
    desk: Desk, dispatcher: WebhookDispatcher, receiver: Receiver, url: str
) -> None:
    """What waits for it is disabled, what comes later as well; one resend opens it again."""
    first, second = await running(desk, url, "T-1"), await running(desk, url, "T-2")
    await settle(desk, first)
    await settle(desk, second)
    receiver.status = 410
    claimed = await claim(desk)
    await dispatcher.deliver(claimed[0])
    assert [row.status for row in await rows(desk)] == ["disabled", "disabled"]
    await settle(desk, await running(desk, url, "T-3"))
    late = (await rows(desk))[-1]
    assert late.status == "disabled"
    receiver.status = 200
    async with desk.sessions.begin() as session:
        await outbox.resend(session, desk.tenant.id, late.id)
    assert (await attempt(desk, dispatcher)).status == "delivered"
    await settle(desk, await running(desk, url, "T-4"))
    assert (await attempt(desk, dispatcher)).status == "delivered"
    assert len(receiver.deliveries) == 3


async def test_many_that_learn_at_once_that_the_url_is_gone(desk: Desk) -> None:
    """Each ends its own callback and all that wait; none is a deadlock's victim."""
    for number in range(4):
        await settle(desk, await running(desk, "https://a.example/", f"T-{number}"))

    together = asyncio.Barrier(4)

    async def gone(callback: Callback) -> None:
        async with desk.sessions.begin() as session:
            await session.connection()
            await together.wait()
            await outbox.conclude(session, callback, Receipt("HTTP 410", gone=True))

    await asyncio.gather(*map(gone, await claim(desk)))
    assert {row.status for row in await rows(desk)} == {"disabled"}


async def test_last_failure_is_dead_and_can_be_sent_again(
    desk: Desk, dispatcher: WebhookDispatcher, receiver: Receiver, url: str
) -> None:
    """Ten attempts in all; a resend begins the schedule again and keeps the id."""
    await settle(desk, await running(desk, url))
    receiver.status = 500
    assert [(await attempt(desk, dispatcher)).status for _ in range(10)] == ["pending"] * 9 + [
        "dead"
    ]
    await make_due(desk)
    assert await claim(desk) == []
    [dead] = await rows(desk)
    async with desk.sessions.begin() as session:
        await outbox.resend(session, desk.tenant.id, dead.id)
    again = await attempt(desk, dispatcher)
    assert (again.status, again.tries, again.attempts) == ("pending", 1, 11)
    receiver.status = 200
    assert (await attempt(desk, dispatcher)).status == "delivered"
    assert {delivery.id for delivery in receiver.deliveries} == {str(dead.id)}
    async with desk.sessions.begin() as session:
        with pytest.raises(NotFoundError):
            await outbox.resend(session, "another", dead.id)


async def test_name_that_changes_its_mind_reaches_nothing(
    desk: Desk, service: Service, receiver: Receiver, url: str
) -> None:
    """Public when it was registered, loopback when it is called: the connection is not made."""
    rebound = url.replace("http://127.0.0.1", "https://rebind.example")
    await settle(desk, await running(desk, rebound))
    async with Sender(make_guard([], always("127.0.0.1")), 2) as sender:
        row = await attempt(desk, WebhookDispatcher(service, sender, asyncio.Event()))
    assert "not on the open internet" in str(row.last_error)
    assert receiver.deliveries == []


async def test_connection_goes_to_the_address_that_was_checked(
    desk: Desk, service: Service, receiver: Receiver, url: str
) -> None:
    """The name is sent in `Host` and resolved once; an address that refuses gives way to the next.

    127.0.0.2 is loopback too, and no process listens there.
    """
    port = parse(url).port
    await settle(desk, await running(desk, f"http://hooks.example:{port}/hook"))
    guard = make_guard(LOOPBACK, always("127.0.0.2", "127.0.0.1"))
    async with Sender(guard, 2) as sender:
        row = await attempt(desk, WebhookDispatcher(service, sender, asyncio.Event()))
    assert row.status == "delivered", row.last_error
    assert receiver.deliveries[0].headers["host"] == f"hooks.example:{port}"


async def test_receiver_that_never_answers_is_given_up(desk: Desk, service: Service) -> None:
    """After the timeout, as a failure."""
    with silent_server() as silent:
        await settle(desk, await running(desk, f"{silent}/hook"))
        async with Sender(make_guard(LOOPBACK, system_resolve), 0.2) as sender:
            row = await attempt(desk, WebhookDispatcher(service, sender, asyncio.Event()))
    assert (row.status, row.last_error) == ("pending", "no answer within 0.2 s")


async def test_long_answer_is_not_read(
    desk: Desk, dispatcher: WebhookDispatcher, receiver: Receiver, url: str
) -> None:
    """Its status counts all the same."""
    await settle(desk, await running(desk, url))
    receiver.status, receiver.answer = 200, b"x" * 50_000_000
    assert (await attempt(desk, dispatcher)).status == "delivered"
