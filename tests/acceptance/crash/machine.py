"""The processes of one campaign on this machine: start them, kill them, bring them back."""

import multiprocessing
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import psutil
import psycopg

from app.settings import Settings
from tests.acceptance.crash import processes
from tests.acceptance.crash.hazard import Hazard
from tests.acceptance.stack import free_port

START_SECONDS = 60


class Machine:
    """One Postgres, one API, some workers. A process that dies is replaced by `tend`."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder = folder
        self.hazard = Hazard(folder)
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([processes.__name__, "tests.acceptance.preloaded"])
        self.postgres_port, self.api_port = free_port(), free_port()
        self.settings: Settings | None = None
        self.wanted_workers = workers
        self.workers: list[ForkServerProcess] = []
        self.postgres: ForkServerProcess | None = None
        self.api: ForkServerProcess | None = None
        self.numbers = 0
        # Processes that ended although nothing killed or stopped them, with their exit codes.
        self.quitters: list[str] = []

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.api_port}"

    def dsn(self, database: str = "postgres") -> str:
        """How to reach Postgres, as long as it is there."""
        password = (self.folder / "pg" / "password").read_text()
        return f"postgresql://deskgraph:{password}@127.0.0.1:{self.postgres_port}/{database}"

    def _start(self, target: Callable[..., None], *args: Any) -> ForkServerProcess:
        self.numbers += 1
        name = f"{target.__name__}-{self.numbers}"
        asked = (*args, self._log(name))
        process = self.context.Process(target=target, name=name, args=asked, daemon=True)
        process.start()
        return process

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def start_postgres(self) -> None:
        """Start it on the same folder and port as before, and wait until it answers."""
        (self.folder / "pg").mkdir(exist_ok=True)
        data_dir = self.folder / "pg"
        self.postgres = self._start(processes.postgres, data_dir, self.postgres_port)
        self.await_postgres()

    def await_postgres(self) -> None:
        """Until a connection succeeds."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.dsn(), connect_timeout=2).close()
                return
            except (psycopg.OperationalError, FileNotFoundError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    @property
    def postmaster(self) -> int:
        """The process id of the server itself."""
        lines = (self.folder / "pg" / "postgres" / "postmaster.pid").read_text().splitlines()
        return int(lines[0])

    def tend(self) -> None:
        """Start what is missing: as many workers as wanted, and the API."""
        assert self.settings is not None, "there is a database by now"
        for worker in list(self.workers):
            if not worker.is_alive():
                self.workers.remove(worker)
                self._bury(worker, "worker")
        while len(self.workers) < self.wanted_workers:
            self.workers.append(self._start(processes.worker, self.settings, self.folder))
        if self.api is not None and not self.api.is_alive():
            self._bury(self.api, "api")
            self.api = None
        if self.api is None:
            self.api = self._start(processes.api, self.settings, self.folder)

    def _bury(self, process: ForkServerProcess, name: str) -> None:
        # One that finds no database for ten seconds when it starts ends, and is started again.
        log = self._log(process.name)
        began = log.exists() and f"{name}_started" in log.read_text()
        if began and process.exitcode not in (-signal.SIGKILL, 0):
            self.quitters.append(f"{name} {process.pid} ended with {process.exitcode}")

    def worker_at(self, port: int) -> int:
        """The process id of the worker that has a connection from that port; 0 for none."""
        for worker in self.workers:
            assert worker.pid is not None, "it was started"
            try:
                connections = psutil.Process(worker.pid).net_connections("tcp")
            except psutil.NoSuchProcess:
                continue
            if any(connection.laddr.port == port for connection in connections):
                return worker.pid
        return 0

    def kill(self, process: ForkServerProcess | None, point: str) -> None:
        """SIGKILL, written into the book first."""
        assert process is not None, "it was started"
        self.hazard.note("kill", point=point, victim=process.pid)
        process.kill()

    def kill_backend(self, rng: random.Random) -> None:
        """Kill one connection's server process: Postgres drops all the others and recovers."""
        children = psutil.Process(self.postmaster).children()
        serving = [child for child in children if "127.0.0.1(" in " ".join(child.cmdline())]
        victim = rng.choice(serving)
        self.hazard.note("kill", point="postgres: a backend", victim=victim.pid)
        victim.kill()
        time.sleep(0.05)
        self.await_postgres()

    def kill_postgres(self, *, whole: bool) -> None:
        """Kill the server, alone or with all its processes at once, and start it again."""
        server = psutil.Process(self.postmaster)
        family = [server, *server.children()] if whole else [server]
        self.hazard.note(
            "kill", point=f"postgres: {'all' if whole else 'alone'}", victim=server.pid
        )
        for process in family:
            process.kill()
        self.restart_postgres()

    def restart_postgres(self) -> None:
        """After its server died: let go of the folder, and start again."""
        assert self.postgres is not None, "it was started"
        self.postgres.kill()
        self.postgres.join()
        self.start_postgres()

    def stop(self) -> None:
        """Stop everything, Postgres last."""
        for process in [*self.workers, self.api]:
            if process is not None and process.is_alive():
                process.kill()
                process.join()
        if self.postgres is not None and self.postgres.is_alive():
            self.postgres.terminate()
            self.postgres.join(20)
