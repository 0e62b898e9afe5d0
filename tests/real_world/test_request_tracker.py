"""The connector of Request Tracker against RT 5 itself."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.helpdesk import HelpdeskLaws
from tests.conformance.request_tracker import (
    RequestTrackerHarness,
    request_tracker,
)
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
    async with request_tracker(
        server.url, server.token, server.password, server.mails, PATIENCE_SECONDS
    ) as found:
        yield found


class TestRequestTracker(HelpdeskLaws):
    """The laws of every helpdesk."""
