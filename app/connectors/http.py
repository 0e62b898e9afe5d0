"""One HTTP client for all connectors: guarded, bounded, without redirects, proxies or retries.

What a status means is the same for every system; docs/connect/README.md shows it as a table.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx

from app.adapters.webhooks.ssrf_guard import ForbiddenTargetError, Guard, Target, bracketed, parse
from app.connectors.errors import CredentialsError, SettingsError
from app.models.retry_after import retry_after_seconds
from app.strict_json import StrictJsonError, parse_json
from tools.errors import UnavailableError

MAX_ANSWER_BYTES = 2_000_000
TIMEOUT_SECONDS, CONNECT_SECONDS = 20.0, 5.0
LATER = (429, 503)
UNAUTHORIZED = 401
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A status from 200 to 499 but 401 and 429, with the body as it came."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the other side did what was asked."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as strict JSON. Raises UnavailableError: what happened is unknown."""
        try:
            return parse_json(self.body, repair=True)
        except StrictJsonError as error:
            raise UnavailableError(f"the answer is no JSON: {error}") from None


class HttpClient:
    """Calls systems that tenants named, at addresses that the operator's guard allows.

    A connection kept for an address could serve another host there, so none is kept. `guard` is
    for connectors that speak another protocol than HTTP.
    """

    def __init__(self, guard: Guard, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.guard = guard
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

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        content_type: str = "application/json",
    ) -> HttpAnswer:
        """One call, within the timeout as a whole; never a second one by itself.

        Raises:
            SettingsError: the URL may not be called.
            UnavailableError: no answer, a broken or too long one, 429, or 5xx: look before you
                call again. `retry_after` is in seconds.
            CredentialsError: 401.
        """
        sent = {
            "User-Agent": "deskgraph",
            "Accept": "application/json",
            # A packed answer of some kilobytes may unfold to gigabytes before it can be measured.
            "Accept-Encoding": "identity",
            **(headers or {}),
        }
        if body:
            sent["Content-Type"] = content_type
        try:
            async with asyncio.timeout(self._timeout_seconds):
                target = parse(url)
                addresses = await self._allowed(target)
                return _judged(await self._reach(method, target, addresses, body, sent))
        except TimeoutError:
            raise UnavailableError(f"no answer within {self._timeout_seconds:g} s") from None
        except ForbiddenTargetError as error:
            raise SettingsError(f"the URL {error}") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise UnavailableError(f"no answer ({type(error).__name__})") from None

    async def _allowed(self, target: Target) -> list[str]:
        """The addresses that may be called. Raises SettingsError, with what would allow it."""
        try:
            return await self.guard.addresses(target)
        except ForbiddenTargetError as error:
            raise SettingsError(
                f"the URL {error}, unless DESKGRAPH_CALLBACK_ALLOW names {target.endpoint}"
            ) from None

    async def _reach(
        self,
        method: str,
        target: Target,
        addresses: list[str],
        body: bytes,
        headers: Mapping[str, str],
    ) -> HttpAnswer:
        """Try the addresses in the resolver's order until one takes the connection."""
        for address in addresses[:-1]:
            try:
                return await self._send(method, target, address, body, headers)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._send(method, target, addresses[-1], body, headers)

    async def _send(
        self, method: str, target: Target, address: str, body: bytes, headers: Mapping[str, str]
    ) -> HttpAnswer:
        # To the checked address; only TLS and `Host` carry the name.
        url = f"{target.scheme}://{bracketed(address)}:{target.port}{target.path}"
        request = self._client.build_request(
            method,
            url,
            content=body,
            headers={**headers, "Host": target.authority},
            extensions={"sni_hostname": target.host},
        )
        response = await self._client.send(request, stream=True)
        try:
            return HttpAnswer(response.status_code, response.headers, await _bounded(response))
        finally:
            await response.aclose()


async def _bounded(response: httpx.Response) -> bytes:
    """The body as it came. Raises UnavailableError when it is too long, or packed all the same."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnavailableError("the answer is packed, which was not asked for")
    body = bytearray()
    async for chunk in response.aiter_raw(65_536):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise UnavailableError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _judged(answer: HttpAnswer) -> HttpAnswer:
    if answer.status == UNAUTHORIZED:
        raise CredentialsError("the credentials were refused (HTTP 401)")
    wait = retry_after_seconds(answer.headers, datetime.now(UTC))
    if answer.status in LATER or answer.status >= SERVER_ERROR:
        raise UnavailableError(f"HTTP {answer.status}", retry_after=wait)
    if not (answer.ok or answer.status >= 400):
        raise SettingsError(f"HTTP {answer.status}: redirects are not followed")
    return answer
