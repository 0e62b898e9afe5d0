"""Serves an ASGI app on a free loopback port, in a thread of the test's own process."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from app.commands.serve import bind


class ThreadServer(uvicorn.Server):
    """Leaves signals to the test runner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


@contextlib.contextmanager
def serving(app: FastAPI, certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """The app's URL while it is served; https with the files of a certificate and its key."""
    scheme = "https" if certificate else "http"
    ssl_certfile, ssl_keyfile = certificate or (None, None)
    with bind("127.0.0.1", 0) as listener:
        # From now on a call waits, also before the thread has begun to answer.
        listener.listen()
        # What still hangs at the end is cut off: some tests make a call that never answers.
        config = uvicorn.Config(
            app,
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=1,
            access_log=False,
            ssl_certfile=ssl_certfile,
            ssl_keyfile=ssl_keyfile,
        )
        server = ThreadServer(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
