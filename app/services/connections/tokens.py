"""The access token of a connection, shared by all processes through the connection's row.

A refresh may end the pair before it (Zendesk), so one process at a time renews, under a lease of
the row; the others wait for what it stores. No database connection is held across the call.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.connectors.errors import ConnectorError
from app.connectors.oauth import Renew, Token, Tokens
from app.db.connections import tokens as rows
from app.db.core.connections import Sessions
from app.errors import EncryptionError
from app.services.connections.encryption import Vault
from tools.errors import UnavailableError

# Longer than a call may take (connectors/http.py), so that no lease ends within one.
LEASE_SECONDS = 30.0
WAIT_SECONDS, LOOK_SECONDS = 40.0, 0.1
# The event loop itself does not keep its tasks.
RENEWING: set[asyncio.Task[str]] = set()
CHANGED = "the credentials were changed meanwhile"


@dataclass(frozen=True, slots=True)
class SharedTokens(Tokens):
    """Of one connection, as it was opened."""

    sessions: Sessions
    vault: Vault
    owner: rows.Owner

    async def get(self, source: str, renew: Renew, refused: str | None = None) -> str:
        """See Tokens."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            async with self.sessions() as session:
                found = await rows.kept(session, self.owner)
            if found is None:
                raise UnavailableError(CHANGED)
            if (usable := self._usable(found, source, refused)) is not None:
                return usable.access
            async with self.sessions.begin() as session:
                leased = await rows.lease(session, self.owner, LEASE_SECONDS)
            if leased is not None:
                # Not ended with its caller: the old pair may be dead before the new one is stored.
                task = asyncio.create_task(self._renewed(leased, source, renew, refused))
                RENEWING.add(task)
                task.add_done_callback(RENEWING.discard)
                return await asyncio.shield(task)
            await asyncio.sleep(LOOK_SECONDS)
        raise UnavailableError("another process renews the access token")

    async def _renewed(
        self, leased: rows.Kept, source: str, renew: Renew, refused: str | None
    ) -> str:
        if (usable := self._usable(leased, source, refused)) is not None:
            # Another process was quicker between our look and our lease.
            await self._release(leased)
            return usable.access
        try:
            token = await renew(self._of(leased, source))
        except (ConnectorError, UnavailableError):
            await self._release(leased)
            raise
        async with self.sessions.begin() as session:
            sealed = self.vault.seal(_plain(token, source))
            stored = await rows.store(
                session, self.owner, leased.version, sealed, token.refresh_ends_at
            )
        if not stored:
            raise UnavailableError(CHANGED)
        return token.access

    async def _release(self, leased: rows.Kept) -> None:
        async with self.sessions.begin() as session:
            await rows.release(session, self.owner, leased.version)

    def _usable(self, found: rows.Kept, source: str, refused: str | None) -> Token | None:
        token = self._of(found, source)
        return token if token and token.access != refused and token.is_live() else None

    def _of(self, found: rows.Kept, source: str) -> Token | None:
        """The kept token; none when other credentials made it, or when no key opens it."""
        if found.tokens is None:
            return None
        try:
            known = self.vault.open(found.tokens)
        except EncryptionError:
            return None
        return _token(known) if known["source"] == source else None


def _plain(token: Token, source: str) -> dict[str, Any]:
    known = {"access": token.access, "refresh": token.refresh, "source": source}
    return {**known, "expires_at": token.expires_at and token.expires_at.isoformat()}


def _token(known: dict[str, Any]) -> Token:
    ends = known["expires_at"]
    expires_at = datetime.fromisoformat(ends) if ends else None
    return Token(known["access"], known["refresh"], expires_at)
