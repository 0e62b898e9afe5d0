"""Zendesk's webhooks, as our stand-in signs and posts them."""

import base64
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from tests.doubles.zendesk_state import JsonObject, stamp
from tests.tls import TLS

SIGNING_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3RzX29ubHk="


@dataclass(slots=True)
class ZdWebhook:
    """A webhook with its subscriptions."""

    endpoint: str
    subscriptions: list[str]
    status: str = "active"


def signed(body: bytes, secret: str = SIGNING_SECRET, at: datetime | None = None) -> dict[str, str]:
    """The headers of a webhook."""
    moment = stamp(at or datetime.now(UTC))
    digest = hmac.digest(secret.encode(), moment.encode() + body, "sha256")
    return {
        "content-type": "application/json",
        "x-zendesk-account-id": "22129848",
        "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
        "x-zendesk-webhook-signature-timestamp": moment,
    }


def post_hook(endpoint: str, event: JsonObject) -> httpx.Response:
    """One delivery of an event."""
    body = json.dumps(event).encode()
    return httpx.post(endpoint, content=body, headers=signed(body), timeout=10, verify=TLS)
