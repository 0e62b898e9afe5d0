"""One attempt to deliver a callback: signed, guarded, bounded, without redirects or proxies.

Source: Standard Webhooks 1.0.0, https://www.standardwebhooks.com; the signature is its library's.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpx
from standardwebhooks import Webhook

from app.adapters.webhooks.ssrf_guard import ForbiddenTargetError, Guard, Target, bracketed, parse
from app.models.retry_after import retry_after_seconds

# A receiver's answer is ignored; this much is read so that an honest one can finish.
MAX_ANSWER_BYTES = 4096
CONNECT_SECONDS = 5.0
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


class Sender:
    """Sends callbacks over connections that are never shared between two of them.

    A connection kept for an address could otherwise serve another host on the same address.
    """

    def __init__(self, guard: Guard, timeout_seconds: float) -> None:
        self._guard = guard
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            # SSL_CERT_FILE counts, proxies of the environment do not.
            verify=httpx.create_ssl_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(timeout_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def send(self, url: str, callback_id: str, body: str, secrets: Sequence[str]) -> Receipt:
        """Deliver once, within the timeout as a whole; every failure is an answer, none raises."""
        headers = signed_headers(callback_id, body, secrets, datetime.now(UTC))
        try:
            async with asyncio.timeout(self._timeout_seconds):
                target = parse(url)
                addresses = await self._guard.addresses(target)
                return await self._first_reachable(target, addresses, body, headers)
        except TimeoutError:
            return Receipt(f"no answer within {self._timeout_seconds:g} s")
        except ForbiddenTargetError as error:
            return Receipt(f"the URL {error}")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return Receipt(f"{type(error).__name__}: {error}"[:300])

    async def _first_reachable(
        self, target: Target, addresses: list[str], body: str, headers: dict[str, str]
    ) -> Receipt:
        """Try the addresses in the resolver's order until one takes the connection."""
        for address in addresses[:-1]:
            try:
                return await self._post(target, address, body, headers)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._post(target, addresses[-1], body, headers)

    async def _post(
        self, target: Target, address: str, body: str, headers: dict[str, str]
    ) -> Receipt:
        # To the checked address; only TLS and `Host` carry the name.
        url = f"{target.scheme}://{bracketed(address)}:{target.port}{target.path}"
        request = self._client.build_request(
            "POST",
            url,
            content=body,
            headers={
                **headers,
                "Host": target.authority,
                "Content-Type": "application/json",
                "User-Agent": "deskgraph",
            },
            extensions={"sni_hostname": target.host},
        )
        response = await self._client.send(request, stream=True)
        try:
            await _take_a_little(response)
        finally:
            await response.aclose()
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
