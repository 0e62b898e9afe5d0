"""Chatwoot's connector passes the laws of every helpdesk and its own, against our double."""

from collections.abc import AsyncIterator

import pytest

from tests.conformance.chatwoot import ChatwootHarness, doubled_chatwoot
from tests.conformance.chatwoot_laws import ChatwootLaws


class TestChatwoot(ChatwootLaws):
    """The connector, against our double."""

    @pytest.fixture
    async def harness(self) -> AsyncIterator[ChatwootHarness]:
        """A new account."""
        async with doubled_chatwoot() as harness:
            yield harness
