"""Serves an ASGI app on a free loopback port, in a thread of the test's own process."""

import asyncio
import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from app.commands.serve import bind

# Most tests serve something and end at once: uvicorn looks every tenth of a second whether it is to
# end, and then waits for another one.
LOOK_SECONDS, GRACE_SECONDS = 0.02, 1.0


class ThreadServer(uvicorn.Server):
    """Leaves signals to the test runner, and ends as soon as it may."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield

    async def main_loop(self) -> None:
        """Until it is to end."""
        looks = itertools.count()
        while not await self.on_tick(next(looks)):  # noqa: ASYNC110  # set by another thread
            await asyncio.sleep(LOOK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing more; what still hangs is cut off: some tests make a call without an end."""
        state = self.server_state
        for server in self.servers:
            server.close()
        for connection in list(state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while state.connections or state.tasks:  # noqa: ASYNC110  # uvicorn's own sets
                    await asyncio.sleep(LOOK_SECONDS / 4)
        for task in state.tasks:
            task.cancel()


@contextlib.contextmanager
def serving(app: FastAPI, certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """The app's URL while it is served; https with the files of a certificate and its key."""
    scheme = "https" if certificate else "http"
    ssl_certfile, ssl_keyfile = certificate or (None, None)
    with bind("127.0.0.1", 0) as listener:
        # From now on a call waits, also before the thread has begun to answer.
        listener.listen()
        config = uvicorn.Config(
            app,
            log_config=None,
            lifespan="off",
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
