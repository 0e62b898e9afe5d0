"""Each helpdesk that runs without other software passes the laws of the port."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.bridge import BridgeHarness, bridged_desk
from tests.conformance.harness import Harness
from tests.conformance.helpdesk import HelpdeskLaws
from tests.conformance.request_tracker import RequestTrackerHarness, doubled_request_tracker
from tests.conformance.request_tracker_laws import RequestTrackerLaws
from tests.conformance.webhook import WebhookHarness, doubled_webhook_desk
from tests.conformance.zendesk import ZendeskHarness, doubled_zendesk
from tests.conformance.zendesk_laws import ZendeskLaws
from tests.fake_desk import FakeDesk


class TestFakeDesk(HelpdeskLaws):
    """The desk of other tests."""

    @pytest.fixture
    def harness(self) -> Harness:
        """A new desk."""
        return FakeDesk()


class TestWebhook(HelpdeskLaws):
    """The connector of a helpdesk of one's own, against our double of such a desk."""

    @pytest.fixture
    async def harness(self) -> AsyncIterator[WebhookHarness]:
        """A new desk."""
        async with doubled_webhook_desk() as harness:
            yield harness


class TestBridge(HelpdeskLaws):
    """The same connector, against the desk that docs/connect/webhook.md shows."""

    @pytest.fixture
    async def harness(self) -> AsyncIterator[BridgeHarness]:
        """A new desk."""
        async with bridged_desk() as harness:
            yield harness


class TestRequestTracker(RequestTrackerLaws):
    """The connector, against our double of RT 5; tests/real_world runs it against RT itself."""

    @pytest.fixture
    async def harness(self) -> AsyncIterator[RequestTrackerHarness]:
        """A new RT."""
        async with doubled_request_tracker() as harness:
            yield harness


class TestZendesk(ZendeskLaws):
    """The connector, against our double of Zendesk, which cannot be run here."""

    @pytest.fixture
    async def harness(self) -> AsyncIterator[ZendeskHarness]:
        """A new Zendesk."""
        async with doubled_zendesk() as harness:
            yield harness
