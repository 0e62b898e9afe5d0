"""One attempt to deliver a callback: signed, guarded, bounded, without redirects or proxies.

Source: Standard Webhooks 1.0.0, https://www.standardwebhooks.com; the signature is its library's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook

from app.adapters.webhooks.guarded_client import GuardedClient
from app.adapters.webhooks.ssrf_guard import ForbiddenTargetError
from app.models.retry_after import retry_after_seconds

# A receiver's answer is ignored; this much is read so that an honest one can finish.
MAX_ANSWER_BYTES = 4096
GONE = 410
WAITING = (429, 503)


@dataclass(frozen=True, slots=True)
class Receipt:
    """How an attempt ended: `error` is None when the receiver took it."""

    error: str | None = None
    gone: bool = False
    retry_after_seconds: float = 0.0


def signed_headers(
    callback_id: str, body: str, secrets: Sequence[str], now: datetime
) -> dict[str, str]:
    """The three headers of the specification, with a signature for each secret, newest first."""
    signatures = [Webhook(secret).sign(callback_id, now, body) for secret in secrets]
    return {
        "webhook-id": callback_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


class Sender(GuardedClient):
    """Sends callbacks."""

    async def send(self, url: str, callback_id: str, body: str, secrets: Sequence[str]) -> Receipt:
        """Deliver once, within the timeout as a whole; every failure is an answer, none raises."""
        headers = signed_headers(callback_id, body, secrets, datetime.now(UTC))
        headers["Content-Type"] = "application/json"
        try:
            async with self.stream("POST", url, headers, body) as response:
                await _take_a_little(response)
        except TimeoutError:
            return Receipt(f"no answer within {self.timeout_seconds:g} s")
        except ForbiddenTargetError as error:
            return Receipt(f"the URL {error}")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return Receipt(f"{type(error).__name__}: {error}"[:300])
        return answer_of(response.status_code, response.headers, datetime.now(UTC))


async def _take_a_little(response: httpx.Response) -> None:
    taken = 0
    # Raw: a small compressed answer could unfold into a large one.
    async for chunk in response.aiter_raw(MAX_ANSWER_BYTES):
        taken += len(chunk)
        if taken >= MAX_ANSWER_BYTES:
            return


def answer_of(status: int, headers: httpx.Headers, now: datetime) -> Receipt:
    """The receipt of a status: 2xx is delivered, 410 disables the URL, others are tried again."""
    if 200 <= status < 300:
        return Receipt()
    if 300 <= status < 400:
        return Receipt(f"HTTP {status}: redirects are not followed")
    wait = retry_after_seconds(headers, now) if status in WAITING else None
    return Receipt(f"HTTP {status}", gone=status == GONE, retry_after_seconds=wait or 0.0)
