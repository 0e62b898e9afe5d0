"""Zendesk, Zammad and Chatwoot alike: a double behind a line, with the hooks that it writes."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import SecretStr

from app.connectors.catalog import CONNECTORS
from app.connectors.connector import Connector, Opened
from tests.conformance.chatwoot import doubled_chatwoot
from tests.conformance.harness import Harness
from tests.conformance.zammad import doubled_zammad
from tests.conformance.zendesk import doubled_zendesk
from tests.doubles import zendesk_hooks
from tests.doubles.fault_proxy import FaultProxy

# The connector waits so long for an answer, in seconds: no simulation is a matter of speed.
CALL_SECONDS = 30.0
Line = Callable[[int], FaultProxy]
# The headers of a hook: of its body, signed with the connection's own secret or the desk's.
Sign = Callable[[bytes, str], dict[str, str]]


class LineHarness(Harness, Protocol):
    """A harness whose connector speaks over a line."""

    proxy: FaultProxy


@dataclass(frozen=True, slots=True)
class HostedDesk:
    """One desk: its harness, the connection to it, and the hooks that it has written since."""

    harness: LineHarness
    opened: Opened
    connector: Connector
    written: list[Any]
    sign: Sign

    def hooks(self) -> list[Any]:
        """What the desk has said since it was last asked."""
        found = list(self.written)
        del self.written[: len(found)]
        return found

    def asked(self) -> dict[str, Any]:
        """What connects a tenant to it, for `POST /v1/connections`."""
        kind = self.connector.kind
        given = self.opened.credentials
        known = {name: getattr(given, name) for name in type(given).model_fields}
        return {
            "kind": kind,
            "name": kind,
            "settings": self.opened.settings.model_dump(mode="json", exclude_defaults=True),
            "credentials": {
                name: secret.get_secret_value()
                for name, secret in known.items()
                if isinstance(secret, SecretStr)
            },
        }


@asynccontextmanager
async def zendesk(line: Line) -> AsyncIterator[HostedDesk]:
    """Zendesk, which compares and posts in one call."""
    async with doubled_zendesk(CALL_SECONDS, line) as harness:
        events, known = harness.double.events, CONNECTORS["zendesk"]
        yield HostedDesk(
            harness, harness.opened, known, events, lambda body, _: zendesk_hooks.signed(body)
        )


@asynccontextmanager
async def zammad(line: Line) -> AsyncIterator[HostedDesk]:
    """Zammad, which is read once more before the post."""
    async with doubled_zammad(CALL_SECONDS, line) as harness:
        written: list[Any] = []
        harness.double.emit = written.append
        yield HostedDesk(harness, harness.opened, CONNECTORS["zammad"], written, _zammads)


@asynccontextmanager
async def chatwoot(line: Line) -> AsyncIterator[HostedDesk]:
    """Chatwoot, which is read once more before the post."""
    async with doubled_chatwoot(CALL_SECONDS, line) as harness:
        written: list[Any] = []
        harness.double.emit = written.append
        harness.double.messages_left = 1_000_000
        secret = harness.double.secret
        yield HostedDesk(
            harness, harness.opened, CONNECTORS["chatwoot"], written,
            lambda body, _: _chatwoots(body, secret),
        )  # fmt: skip


HOSTED: tuple[Callable[[Line], AbstractAsyncContextManager[HostedDesk]], ...] = (
    zendesk,
    zammad,
    chatwoot,
)


def _zammads(body: bytes, secret: str) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    return {"content-type": "application/json", "x-hub-signature": f"sha1={signature}"}


def _chatwoots(body: bytes, secret: str) -> dict[str, str]:
    at = str(int(time.time()))
    signature = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "x-chatwoot-timestamp": at,
        "x-chatwoot-signature": f"sha256={signature}",
    }
