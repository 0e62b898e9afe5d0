"""The port on which an API or a worker shows its metrics, apart from what callers reach."""

import asyncio
import socket

import uvicorn
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.api.http.bounded_protocol import BoundedProtocol
from app.log import get_logger
from app.observability.database_metrics import DatabaseMetrics

log = get_logger(__name__)


def metrics_app(metrics: DatabaseMetrics) -> Starlette:
    """The application of the port: `GET /metrics` and nothing else."""

    async def show(_request: Request) -> Response:
        return Response(await metrics.exposition(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return Starlette(routes=[Route("/metrics", show)])


async def serve_metrics(
    server: uvicorn.Server, listener: socket.socket, stop: asyncio.Event
) -> None:
    """Serve until `stop` is set; a scrape that is under way ends first."""
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    host, port = listener.getsockname()[:2]
    log.info("metrics_started", url=f"http://{host}:{port}/metrics")
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([waiting, serving], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    server.should_exit = True
    await serving


def metrics_config(metrics: DatabaseMetrics) -> uvicorn.Config:
    """How the port is served."""
    return uvicorn.Config(
        metrics_app(metrics),
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
