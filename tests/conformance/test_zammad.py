"""Zammad's connector passes the laws of every helpdesk and its own, against our double."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.zammad import ZammadHarness, doubled_zammad
from tests.conformance.zammad_laws import ZammadLaws


class TestZammad(ZammadLaws):
    """The connector, against our double."""

    @pytest.fixture
    async def harness(self) -> AsyncIterator[ZammadHarness]:
        """A new Zammad."""
        async with doubled_zammad() as harness:
            yield harness
