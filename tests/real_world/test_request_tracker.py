"""The connector of Request Tracker against RT 5 itself."""

from collections.abc import AsyncIterator

import pytest

from app.connectors.errors import ForgedHookError
from app.connectors.hooks import Event
from app.connectors.request_tracker import REQUEST_TRACKER
from app.formats.strict_json import parse_json
from tests.conformance.helpdesk import ASKED, NOTE, REPLY, posted
from tests.conformance.request_tracker import CUSTOMER, RequestTrackerHarness, request_tracker
from tests.conformance.request_tracker_laws import RequestTrackerLaws
from tests.doubles.receiver import Delivery
from tests.real_world.conftest import RequestTrackerWithHooks

pytestmark = [pytest.mark.real_world, pytest.mark.timeout(900)]

# RT takes up to 1.1 s for a call on a small machine.
PATIENCE_SECONDS = 8.0


@pytest.fixture
async def harness(
    request_tracker_server: RequestTrackerWithHooks,
) -> AsyncIterator[RequestTrackerHarness]:
    """The running RT, with a proxy of this test's own."""
    server = request_tracker_server.server
    tokens = (server.token, server.clerk_token)
    async with request_tracker(
        server.url, tokens, server.password, server.mails, PATIENCE_SECONDS
    ) as found:
        yield found


class TestRequestTracker(RequestTrackerLaws):
    """The laws of every helpdesk, and RT's own."""


class TestHooks:
    """What the scrip of docs/connect/request_tracker.md sends."""

    async def test_each_thing_that_happens_is_read(
        self, harness: RequestTrackerHarness, request_tracker_server: RequestTrackerWithHooks
    ) -> None:
        """Signed by the secret, in the order of what happened, each as what it means."""
        ticket_id = await harness.open_ticket("Hooks \u00fc", ASKED)
        await harness.customer_writes(ticket_id, "More.")
        await posted(harness, ticket_id, REPLY)
        await harness.desk.note(ticket_id, NOTE, key="note:hooks")
        await harness.person_notes(ticket_id, "Mine?")
        await harness.assign_person(ticket_id)
        await harness.hand_back(ticket_id)
        await harness.put(ticket_id, {"Priority": "50"})
        await harness.person_replies(ticket_id, "Hello.")
        await harness.mail(f"[desk.test #{ticket_id}] hi", "Me too.", "eve@evil.test")
        await harness.close_ticket(ticket_id)
        hooks = request_tracker_server.hooks.deliveries
        events = [read(harness, request_tracker_server, hook) for hook in hooks]
        ours = [event for event in events if event.ticket_id == ticket_id]
        assert [(event.kind, event.who or event.why) for event in ours] == [
            ("message", None),
            # RT opens the ticket for the answer, and says that first.
            ("nothing", "RT did it by itself"),
            ("message", None),
            ("nothing", "the bot did it"),
            ("nothing", "the bot did it"),
            ("nothing", "the bot did it"),
            ("nothing", "a private note"),
            ("person", harness.person),
            ("handback", None),
            ("person", harness.person),
            ("person", "eve@evil.test"),
            ("person", harness.person),
        ]
        view = await harness.desk.read(ticket_id)
        customers = [message.id for message in view.messages if message.author == "customer"]
        assert [event.message_id for event in ours if event.kind == "message"] == customers
        assert len({hook.id for hook in hooks}) == len(hooks)

    async def test_hook_of_another_secret_is_forged(
        self, harness: RequestTrackerHarness, request_tracker_server: RequestTrackerWithHooks
    ) -> None:
        """So is one whose body changed on its way."""
        await harness.open_ticket("Forged", ASKED)
        hook = request_tracker_server.hooks.deliveries[-1]
        secret = request_tracker_server.server.hook_secret
        assert REQUEST_TRACKER.verify is not None
        assert REQUEST_TRACKER.verify(hook.headers, hook.body.encode(), [secret]) == hook.id
        changed = hook.body.replace(CUSTOMER, "eve@evil.test").encode()
        for body, secrets in (
            (changed, [secret]),
            (hook.body.encode(), ["whsec_b3RoZXI="]),
            (b"", [secret]),
        ):
            with pytest.raises(ForgedHookError):
                REQUEST_TRACKER.verify(hook.headers, body, secrets)


def read(harness: RequestTrackerHarness, tracker: RequestTrackerWithHooks, hook: Delivery) -> Event:
    """What a hook says, once its signature is right."""
    assert REQUEST_TRACKER.verify is not None
    assert REQUEST_TRACKER.read_hook is not None
    body = hook.body.encode()
    secrets = ["whsec_YW5vdGhlcg==", tracker.server.hook_secret]
    assert REQUEST_TRACKER.verify(hook.headers, body, secrets) == hook.id
    return REQUEST_TRACKER.read_hook(harness.opened, parse_json(body))
