"""What runs in each process of a campaign. Started by a fork server, so a new one is there at once.

Nothing here is a double: a worker is `run_worker` on a service whose ports can die, an API is
what `deskgraph api` runs, Postgres is the embedded one.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

import uvloop

from app.commands.serve import run_forever
from app.db.core.embedded import embedded_postgres
from app.execution.wiring import open_service
from app.log import configure_logging
from app.settings import Settings
from app.worker.main import run_worker
from tests.acceptance.crash.doomed import doomed
from tests.acceptance.crash.hazard import Hazard


def _begin(log: Path) -> None:
    with log.open("ab") as out:
        os.dup2(out.fileno(), sys.stdout.fileno())
        os.dup2(out.fileno(), sys.stderr.fileno())
    configure_logging("INFO", as_json=True)


def worker(settings: Settings, folder: Path, log: Path) -> None:
    """A worker that may die at every point."""
    _begin(log)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings, Hazard(folder)))


async def _work(settings: Settings, hazard: Hazard) -> None:
    stop = asyncio.Event()

    def drain() -> None:
        hazard.draining = True
        stop.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, drain)
    async with open_service(settings) as service:
        hazard.note("ready")
        await run_worker(doomed(service, hazard), stop)


def api(settings: Settings, _folder: Path, log: Path) -> None:
    """The API on the settings' port."""
    _begin(log)
    run_forever(settings, with_api=True, with_worker=False, secret_key="crash")


def postgres(data_dir: Path, port: int, log: Path) -> None:
    """The embedded server, until this process is asked to stop."""
    _begin(log)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with embedded_postgres(data_dir, port):
        signal.pause()
