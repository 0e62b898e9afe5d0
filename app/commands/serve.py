"""Run the API, a worker, or both in one process; stop cleanly on SIGINT and SIGTERM."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from app.api.cursor import Cursors
from app.api.deps import Backend
from app.api.main import create_app
from app.log import get_logger
from app.settings import Settings
from app.wiring import Service, open_service
from app.worker.main import run_worker
from app.worker.queue import enqueue_run

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
    main = _serve(
        settings,
        with_api=with_api,
        with_worker=with_worker,
        secret_key=secret_key,
        on_ready=on_ready,
    )
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists: HTTP gains from it."""
    try:
        import uvloop  # noqa: PLC0415  # there is none on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(
    settings: Settings,
    *,
    with_api: bool,
    with_worker: bool,
    secret_key: str,
    on_ready: Callable[[str], None],
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for request in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(request, stop.set)
    async with open_service(settings) as service, asyncio.TaskGroup() as tasks:
        if with_worker:
            tasks.create_task(run_worker(service, stop))
        if with_api:
            tasks.create_task(_run_api(service, secret_key, stop, on_ready))


async def _run_api(
    service: Service, secret_key: str, stop: asyncio.Event, on_ready: Callable[[str], None]
) -> None:
    settings = service.settings
    backend = Backend(settings, service.sessions, enqueue_run, Cursors(secret_key))
    config = uvicorn.Config(
        create_app(backend),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve())
    # uvicorn has no event for it.
    while not server.started and not serving.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    if server.started:
        port = server.servers[0].sockets[0].getsockname()[1]
        on_ready(f"http://{settings.host}:{port}")
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([waiting, serving], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    server.should_exit = True
    # A server that could not start ends by itself, and takes the process with it.
    stop.set()
    await serving
