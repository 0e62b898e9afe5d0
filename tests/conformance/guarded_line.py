"""The line to a double's server, which may fail, and the only client that reaches it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

from app.adapters.webhooks.ssrf_guard import make_guard
from app.connectors.http import TIMEOUT_SECONDS, HttpClient
from tests.doubles.fault_proxy import FaultProxy


@contextlib.asynccontextmanager
async def guarded_line(
    url: str,
    timeout_seconds: float = TIMEOUT_SECONDS,
    line: Callable[[int], FaultProxy] = FaultProxy,
) -> AsyncIterator[tuple[FaultProxy, HttpClient]]:
    """A proxy before the server, and a client of connectors that may call nothing but the proxy."""
    port = urlsplit(url).port
    assert port is not None
    async with (
        line(port).serving() as proxy,
        HttpClient(make_guard([f"127.0.0.1:{proxy.port}"]), timeout_seconds) as http,
    ):
        yield proxy, http
