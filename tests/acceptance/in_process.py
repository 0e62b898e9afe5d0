"""The API in the test's own process, for callers that wait for each answer.

It shares the database of the service's processes, so a worker among them takes the runs it starts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from app.api.application import create_app
from app.api.http.dependencies import Backend
from app.api.http.pagination import Cursors
from app.db.runs.queue import enqueue_run
from app.execution.wiring import open_service
from app.settings import Settings
from tests.acceptance.stack import Client

URL = "http://api"


class Transport(httpx.BaseTransport):
    """Hands each request to an application that runs on the loop of another thread."""

    def __init__(self, portal: BlockingPortal, app: Any) -> None:
        self.portal = portal
        self.asgi = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The whole answer; a stream that does not end would never come back."""
        return self.portal.call(self._send, request)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        answer = await self.asgi.handle_async_request(request)
        content = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)


class InProcess:
    """An API without a socket."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def client(self, key: str) -> Client:
        """A caller with that API key."""
        return Client(URL, key, self.transport)

    def anonymous(self) -> httpx.Client:
        """A caller without a key."""
        return httpx.Client(base_url=URL, transport=self.transport)


@contextmanager
def api_in_process(settings: Settings) -> Iterator[InProcess]:
    """The API on a loop of its own, with a pool of its own."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_service(settings)) as service,
    ):
        backend = Backend(service.settings, service.sessions, enqueue_run, Cursors("in process"))
        app = create_app(backend)
        yield InProcess(Transport(portal, app))
        portal.call(app.state.run_waiter.close)
