"""The API over real HTTP in the test's own loop, on a service without a worker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import uvicorn

from app.api.application import create_app
from app.api.http.dependencies import Backend
from app.api.http.pagination import Cursors
from app.commands.serve import bind
from app.console.application import install_console
from app.db.runs.queue import enqueue_run
from app.execution.wiring import Service
from tests.doubles.server import ThreadServer
from tests.tls import TLS

PATIENCE_SECONDS = 20


@contextlib.asynccontextmanager
async def serving_api(service: Service, **settings: Any) -> AsyncIterator[str]:
    """The URL of an API with these settings changed."""
    changed = service.settings.model_copy(update=settings)
    app = create_app(Backend(changed, service.sessions, enqueue_run, Cursors("tests")))
    install_console(app)
    with bind("127.0.0.1", 0) as subscription:
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        server = ThreadServer(config)
        serving = asyncio.create_task(server.serve(sockets=[subscription]))
        try:
            yield f"http://127.0.0.1:{subscription.getsockname()[1]}"
        finally:
            app.state.event_broadcaster.close()
            server.should_exit = True
            await serving


def caller(url: str, key: str) -> httpx.AsyncClient:
    """Who calls it with that key."""
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_SECONDS, verify=TLS)
