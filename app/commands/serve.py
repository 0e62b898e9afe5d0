"""Run the API, a worker, or both in one process; stop cleanly on SIGINT and SIGTERM."""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import typer
import uvicorn
from starlette.types import ASGIApp

from app.api.application import create_app
from app.api.http.bounded_protocol import BoundedProtocol
from app.api.http.dependencies import Backend
from app.api.http.pagination import Cursors
from app.commands.metrics_server import metrics_config, serve_metrics
from app.commands.terminal import complain
from app.console.application import install_console
from app.db.runs.queue import enqueue_run
from app.execution.wiring import Service, open_service
from app.log import get_logger
from app.observability.database_metrics import DatabaseMetrics
from app.observability.trace_links import keep_looking_for_project
from app.settings import Settings
from app.worker.main import run_worker

log = get_logger(__name__)

GRACE_SECONDS = 10


class QuietServer(uvicorn.Server):
    """Leaves signals to us, since a worker may have to stop as well."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


def run_forever(
    settings: Settings,
    *,
    with_api: bool,
    with_worker: bool,
    secret_key: str = "",
    on_ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve until a signal comes; `on_ready` gets the API's URL once it answers."""
    require_exporter(settings)
    listener = bind(settings.host, settings.port) if with_api else None
    own_port = settings.metrics_port
    scraped = None
    if own_port is not None:
        scraped = bind(settings.metrics_host, own_port, "another DESKGRAPH_METRICS_PORT")
    main = _serve(settings, listener, scraped, secret_key, on_ready, with_worker=with_worker)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists: HTTP gains from it."""
    try:
        import uvloop  # noqa: PLC0415  # there is none on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop


def require_exporter(settings: Settings) -> None:
    """Say what to install, with exit code 2, when traces go to a collector without the extra."""
    if settings.otel_endpoint is None:
        return
    try:
        found = find_spec("opentelemetry.exporter.otlp.proto.http")
    except ModuleNotFoundError:
        found = None
    if found is None:
        complain("DESKGRAPH_OTEL_ENDPOINT needs an extra: pip install 'deskgraph[otel]'.")
        raise typer.Exit(2)


def bind(host: str, port: int, instead: str = "--port 0") -> socket.socket:
    """A socket on that address, or a sentence and exit code 1 when it cannot be had."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        family, kind, protocol, _, address = found
        # asyncio's own loop turns Nagle's algorithm off only where the protocol is named: with it,
        # an answer of two writes waits 40 ms for the client to acknowledge the first.
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "that is no address"
        complain(f"Cannot listen on {host}:{port}: {why}; try {instead}.")
        raise typer.Exit(1) from None
    return listener


async def _serve(
    settings: Settings,
    listener: socket.socket | None,
    scraped: socket.socket | None,
    secret_key: str,
    on_ready: Callable[[str], None],
    *,
    with_worker: bool,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for request in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(request, stop.set)
    async with open_service(settings) as service, asyncio.TaskGroup() as tasks:
        freeze_gc()
        if scraped:
            server = QuietServer(metrics_config(DatabaseMetrics(service.sessions)))
            tasks.create_task(serve_metrics(server, scraped, stop))
        if with_worker:
            tasks.create_task(run_worker(service, stop))
        if listener:
            tasks.create_task(_run_api(service, listener, secret_key, stop, on_ready))


def server_config(app: ASGIApp) -> uvicorn.Config:
    """How the API is served."""
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def freeze_gc() -> None:
    """Take modules and schemas out of the garbage collector's rounds: they are never garbage."""
    gc.collect()
    gc.freeze()


async def _run_api(
    service: Service,
    listener: socket.socket,
    secret_key: str,
    stop: asyncio.Event,
    on_ready: Callable[[str], None],
) -> None:
    backend = Backend(service.settings, service.sessions, enqueue_run, Cursors(secret_key))
    app = create_app(backend)
    install_console(app)
    looking = asyncio.create_task(keep_looking_for_project(backend.links))
    server = QuietServer(server_config(app))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    # uvicorn has no event for it.
    while not server.started and not serving.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    if server.started:
        freeze_gc()
        host, port = listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        log.info("api_started", url=url)
        on_ready(url)
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([waiting, serving], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    looking.cancel()
    # A stream never ends by itself, and the server waits for open answers.
    app.state.event_broadcaster.close()
    app.state.run_waiter.close()
    server.should_exit = True
    # A server that could not start ends by itself, and takes the process with it.
    stop.set()
    await serving
