"""A hook that is signed and says nothing sensible is the sender's error, never one of ours."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.http import HttpClient
from app.db.tables.connections import Connection
from app.errors import BodyError
from app.services.connections.encryption import Vault, new_key
from app.services.connections.hooks import read_hook
from tests.doubles import zendesk_hooks

SECRET = "whsec_dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3RzX29ubHk="


def standard(body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    at = datetime.now(UTC)
    return {
        "webhook-id": "d1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("d1", at, body.decode("latin-1")),
    }


def stripe(body: bytes) -> dict[str, str]:
    """The header of Stripe."""
    at = int(time.time())
    right = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={at},v1={right}"}


def zammad(body: bytes) -> dict[str, str]:
    """The header of Zammad."""
    return {"x-hub-signature": f"sha1={hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()}"}


def chatwoot(body: bytes) -> dict[str, str]:
    """The headers of Chatwoot."""
    at = str(int(time.time()))
    right = hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"x-chatwoot-timestamp": at, "x-chatwoot-signature": f"sha256={right}"}


# Of each kind that takes hooks: who signs, the settings, the credentials.
SIGNED: dict[str, tuple[Callable[[bytes], dict[str, str]], dict[str, object], dict[str, str]]] = {
    "webhook": (standard, {"url": "https://desk.example.com/in"}, {}),
    "request_tracker": (
        standard,
        {"base_url": "https://rt.example.com", "bot": "bot"},
        {"token": "1-23-abcdef"},
    ),
    "zendesk": (
        lambda body: zendesk_hooks.signed(body, SECRET),
        {"base_url": "https://acme.zendesk.com", "client_id": "c", "bot_id": "1"},
        {"client_secret": "s"},
    ),
    "zammad": (zammad, {"base_url": "https://z.example.com", "bot": "bot"}, {"token": "t"}),
    "chatwoot": (
        chatwoot,
        {"base_url": "https://c.example.com", "account_id": 1},
        {"bot_token": "b" * 24, "agent_token": "a" * 24, "webhook_secret": "w" * 24},
    ),
    "stripe": (stripe, {}, {"api_key": "rk_test_" + "a" * 24}),
}
ODD = [
    b"", b"null", b"[]", b"1", b'"x"', b"{", b"{}", b'{"id": null}', b'{"id": []}', b'{"id": ""}',
    b'{"id": 99999999999999999999}', b'{"id": "\\ud800"}', b'{"id": 1, "id": 2}', b'{"a": NaN}',
    b"[" * 5000, b"1" * 5000, json.dumps({"id": "x" * 5000, "object": "event"}).encode(),
]  # fmt: skip


def connection(kind: str, vault: Vault) -> Connection:
    """A connection whose hooks SECRET signs."""
    _, settings, credentials = SIGNED[kind]
    return Connection(
        id="con_1",
        tenant_id="t",
        kind=kind,
        settings=settings,
        credentials=vault.seal(credentials),
        secrets=vault.seal([{"secret": SECRET, "expires_at": None}]),
    )


@pytest.mark.parametrize("body", ODD)
@pytest.mark.parametrize("kind", SIGNED)
def test_signed_nonsense_is_a_bad_body(kind: str, body: bytes) -> None:
    """400 with a reason: not 401, which says that it was not signed, and not 500."""
    vault, headers = Vault([new_key()]), SIGNED[kind][0](body)
    with pytest.raises(BodyError):
        read_hook(connection(kind, vault), vault, HttpClient(make_guard([])), headers, body)
