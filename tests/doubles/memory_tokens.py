"""Keeps the access token of one connection in memory, for tests of a connector without a database.

Those of the real keeper are in tests/integration/test_access_tokens.py.
"""

import asyncio
from dataclasses import dataclass, field

from app.connectors.oauth import Renew, Token, Tokens


@dataclass(slots=True)
class MemoryTokens(Tokens):
    """One token, and who asked for it."""

    source: str = ""
    token: Token | None = None
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, source: str, renew: Renew, refused: str | None = None) -> str:
        """See Tokens."""
        async with self._one_at_a_time:
            kept = self.token if self.source == source else None
            if kept is None or kept.access == refused or not kept.is_live():
                kept = await renew(kept)
                self.source, self.token = source, kept
            return kept.access
