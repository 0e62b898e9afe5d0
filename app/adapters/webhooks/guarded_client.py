"""Calls addresses that tenants named, past the operator's guard: no redirect, proxy or retry."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import httpx

from app.adapters.tls import tls_context
from app.adapters.webhooks.ssrf_guard import Guard, Target, bracketed, parse

CONNECT_SECONDS = 5.0


class GuardedClient:
    """One client for the life of a process.

    A connection kept for an address could serve another host there, so none is kept.
    """

    def __init__(self, guard: Guard, timeout_seconds: float) -> None:
        self.guard = guard
        self.timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            # SSL_CERT_FILE counts, proxies of the environment do not.
            verify=tls_context(),
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

    @asynccontextmanager
    async def stream(
        self, method: str, url: str, headers: Mapping[str, str], content: str | bytes
    ) -> AsyncIterator[httpx.Response]:
        """One request, its answer's body unread; all within the timeout as a whole.

        Raises:
            ForbiddenTargetError, TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError.
        """
        async with asyncio.timeout(self.timeout_seconds):
            target = parse(url)
            addresses = await self.guard.addresses(target)
            response = await self._first_reachable(method, target, addresses, headers, content)
            try:
                yield response
            finally:
                await response.aclose()

    async def _first_reachable(
        self,
        method: str,
        target: Target,
        addresses: list[str],
        headers: Mapping[str, str],
        content: str | bytes,
    ) -> httpx.Response:
        """Try the addresses in the resolver's order until one takes the connection."""
        for address in addresses[:-1]:
            try:
                return await self._send(method, target, address, headers, content)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._send(method, target, addresses[-1], headers, content)

    async def _send(
        self,
        method: str,
        target: Target,
        address: str,
        headers: Mapping[str, str],
        content: str | bytes,
    ) -> httpx.Response:
        # To the checked address; only TLS and `Host` carry the name.
        url = f"{target.scheme}://{bracketed(address)}:{target.port}{target.path}"
        request = self._client.build_request(
            method,
            url,
            content=content,
            headers={"User-Agent": "deskgraph", **headers, "Host": target.authority},
            extensions={"sni_hostname": target.host},
        )
        return await self._client.send(request, stream=True)
