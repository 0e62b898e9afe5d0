"""One HTTP client for all connectors: guarded, bounded, without redirects, proxies or retries.

What a status means is the same for every system; docs/connect/README.md shows it as a table.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from app.adapters.webhooks.guarded_client import GuardedClient
from app.adapters.webhooks.ssrf_guard import ForbiddenTargetError, Guard, parse
from app.connectors.circuit import ConnectionCircuit, new_circuit
from app.connectors.errors import CredentialsError, SettingsError
from app.formats.strict_json import StrictJsonError, parse_json
from app.models.retry_after import retry_after_seconds
from tools.errors import UnavailableError

MAX_ANSWER_BYTES = 2_000_000
TIMEOUT_SECONDS = 20.0
# A limit that lasts no longer is waited for: that of one call must not send what another was about
# to do, a refund that a person approved for one, to a person.
SHORT_LIMIT_SECONDS = 2.0
# A timer may ring some milliseconds early.
EARLY_SECONDS = 0.01
LIMITED = 429
LATER = (LIMITED, 503)
UNAUTHORIZED = 401
SERVER_ERROR = 500


class AnswerTooLongError(UnavailableError):
    """The answer is longer than MAX_ANSWER_BYTES; of a list, ask for fewer items."""


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


class HttpClient(GuardedClient):
    """Calls systems that tenants named, at addresses that the operator's guard allows.

    `guard` is also for connectors that speak another protocol than HTTP.
    """

    def __init__(self, guard: Guard, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        super().__init__(guard, timeout_seconds)
        self._circuits: dict[str, ConnectionCircuit] = {}
        self.connection_id: str | None = None
        self.circuit: ConnectionCircuit | None = None

    def of(self, connection_id: str) -> "HttpClient":
        """The same client behind the circuit of one connection, which all its calls share."""
        bound = copy(self)
        bound.connection_id = connection_id
        bound.circuit = self._circuit_of(connection_id)
        return bound

    def behind_circuit(self, server: str) -> AbstractContextManager[None]:
        """Around a call by another protocol than HTTP, to a server of the connection.

        Each server has a circuit of its own: one that answers says nothing about another one.
        Raises UnavailableError while that server is left alone.
        """
        if self.connection_id is None:
            return nullcontext()
        return self._circuit_of(f"{self.connection_id} {server}").call()

    def _circuit_of(self, name: str) -> ConnectionCircuit:
        if name not in self._circuits:
            self._circuits[name] = new_circuit(name)
        return self._circuits[name]

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        content_type: str = "application/json",
        limit_seconds: float | None = None,
    ) -> HttpAnswer:
        """One call, within the timeout as a whole; never a second one by itself.

        Behind a circuit, none at all while the system is down or wants to be left alone, unless
        that is over in SHORT_LIMIT_SECONDS.
        `limit_seconds` is how long the other side's limits last, for a 429 that does not say it.

        Raises:
            SettingsError: the URL may not be called.
            UnavailableError: no answer, a broken or too long one, 429, or 5xx: look before you
                call again. `retry_after` is in seconds.
            CredentialsError: 401.
        """
        if self.circuit is None:
            return await self._call(method, url, headers, body, content_type, limit_seconds)
        if 0 < (wait := self.circuit.wait_seconds) <= SHORT_LIMIT_SECONDS:
            await asyncio.sleep(wait + EARLY_SECONDS)
        # Also when another call was limited meanwhile.
        if wait := self.circuit.wait_seconds:
            raise UnavailableError("not called, since it asked to be left alone", retry_after=wait)
        with self.circuit.call():
            return await self._call(method, url, headers, body, content_type, limit_seconds)

    async def call_json(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        limit_seconds: float | None = None,
    ) -> HttpAnswer:
        """As `call`, with a query and a body of JSON; `url` holds nothing else that is data."""
        return await self.call(
            method,
            f"{url}?{urlencode(query)}" if query else url,
            headers=headers,
            body=b"" if body is None else json.dumps(body).encode(),
            limit_seconds=limit_seconds,
        )

    async def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        body: bytes,
        content_type: str,
        limit_seconds: float | None,
    ) -> HttpAnswer:
        sent = {
            "Accept": "application/json",
            # A packed answer of some kilobytes may unfold to gigabytes before it can be measured.
            "Accept-Encoding": "identity",
            **(headers or {}),
        }
        if body:
            sent["Content-Type"] = content_type
        try:
            async with self.stream(method, url, sent, body) as response:
                answer = HttpAnswer(
                    response.status_code, response.headers, await _bounded(response)
                )
        except TimeoutError:
            raise UnavailableError(f"no answer within {self.timeout_seconds:g} s") from None
        except ForbiddenTargetError as error:
            raise SettingsError(f"the URL {error}{_what_would_allow(url)}") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise UnavailableError(f"no answer ({type(error).__name__})") from None
        return _judged(answer, limit_seconds)


def _what_would_allow(url: str) -> str:
    """How the operator lets a well-formed URL pass; nothing for one that no setting allows."""
    try:
        return f", unless DESKGRAPH_CALLBACK_ALLOW names {parse(url).endpoint}"
    except ForbiddenTargetError:
        return ""


async def _bounded(response: httpx.Response) -> bytes:
    """The body as it came. Raises UnavailableError when it is too long, or packed all the same."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnavailableError("the answer is packed, which was not asked for")
    body = bytearray()
    async for chunk in response.aiter_raw(65_536):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise AnswerTooLongError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _judged(answer: HttpAnswer, limit_seconds: float | None) -> HttpAnswer:
    if answer.status == UNAUTHORIZED:
        raise CredentialsError("the credentials were refused (HTTP 401)")
    wait = retry_after_seconds(answer.headers, datetime.now(UTC))
    if answer.status == LIMITED and wait is None:
        wait = limit_seconds
    if answer.status in LATER or answer.status >= SERVER_ERROR:
        raise UnavailableError(f"HTTP {answer.status}", retry_after=wait)
    if not (answer.ok or answer.status >= 400):
        raise SettingsError(f"HTTP {answer.status}: redirects are not followed")
    return answer
