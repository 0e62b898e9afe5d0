"""Real processes of the service on one database, and a client that speaks to them over HTTP."""

import contextlib
import json
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance import forked
from tests.conftest import ENCRYPTION_KEY
from tests.tls import TLS

START_SECONDS, END_SECONDS = 90, 40


def free_port() -> int:
    """A port that no process listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# To import the service takes seconds; a process that is forked has done it.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.acceptance.preloaded"])


class Process:
    """One `deskgraph` command, with its log in a file."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path) -> None:
        self.log = log
        log.touch()
        env = {**os.environ, "DESKGRAPH_LOG_JSON": "true", **env}
        asked = (command, env, log)
        self.forked = FORKS.Process(target=forked.command, args=asked, daemon=True)
        self.forked.start()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self.forked.pid is not None, "it was started"
        return self.forked.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.forked.exitcode

    def wait_for_line(self, text: str) -> None:
        """Until the log holds `text`."""
        deadline = time.monotonic() + START_SECONDS
        while text not in self.log.read_text():
            assert self.exit_code is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: nothing of it gets to clean up."""
        self.signal(signal.SIGKILL)
        self.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it, if it runs."""
        if self.exit_code is None:
            os.kill(self.pid, number)

    def wait(self, seconds: float = END_SECONDS) -> int:
        """Its exit code, once it has ended; at most so long."""
        self.forked.join(seconds)
        assert self.exit_code is not None, "it does not end"
        return self.exit_code

    def end(self) -> bool:
        """Whether it ends by itself; if not, it is killed: no later test has to live with it."""
        self.forked.join(END_SECONDS)
        by_itself = self.exit_code is not None
        self.kill()
        return by_itself

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()


class Stack:
    """An API and any number of workers on one database."""

    def __init__(self, database_url: str, folder: Path, **env: str) -> None:
        self.folder = folder
        self.env = {
            "DESKGRAPH_DATABASE_URL": database_url,
            "DESKGRAPH_SECRET_KEY": "acceptance",
            "DESKGRAPH_DATA_DIR": str(folder),
            "DESKGRAPH_ENCRYPTION_KEYS": json.dumps([ENCRYPTION_KEY]),
            # Desks and receivers of the tests.
            "DESKGRAPH_CALLBACK_ALLOW": '["127.0.0.0/8"]',
            **env,
        }
        self.processes: list[Process] = []
        self.url = ""

    def _start(self, name: str, *command: str) -> Process:
        log = self.folder / f"{name}-{len(self.processes)}.log"
        process = Process(list(command), self.env, log)
        self.processes.append(process)
        return process

    def api(self) -> Process:
        """Start an API and wait until it answers."""
        port = free_port()
        process = self._start("api", "api", "--port", str(port))
        self.url = f"http://127.0.0.1:{port}"
        process.wait_for_line("api_started")
        return process

    def worker(self) -> Process:
        """Start a worker and wait until it takes jobs."""
        process = self._start("worker", "worker")
        process.wait_for_line("worker_started")
        return process

    def client(self, key: str) -> "Client":
        """A caller with that API key."""
        return Client(self.url, key)

    def stop(self, besides: int = 0) -> None:
        """Stop what still runs, gently and all at once; the first `besides` of them go on."""
        begun = self.processes[besides:]
        for process in begun:
            process.signal(signal.SIGTERM)
            # One that a failed test left frozen: until it goes on, it heeds no other signal.
            process.signal(signal.SIGCONT)
        killed = [process.log.read_text() for process in begun if not process.end()]
        assert not killed, f"did not end by themselves: {killed}"


@contextlib.contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """Stop the stack's processes at the end, whatever happens."""
    try:
        yield stack
    finally:
        stack.stop()


def ticket(customer: str, body: str, ticket_id: str = "T-1", subject: str = "Help") -> Any:
    """The body of `POST /v1/runs`."""
    return {
        "ticket": {"id": ticket_id, "subject": subject, "body": body, "customer": {"id": customer}}
    }


class Client:
    """One caller of the API."""

    def __init__(self, url: str, key: str, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self.http = httpx.Client(
            base_url=url, headers=headers, timeout=60, verify=TLS, transport=transport
        )

    def start(self, customer: str, body: str, ticket_id: str = "T-1", wait: float = 20) -> Any:
        """Start a run and wait until it rests."""
        answer = self.http.post(
            f"/v1/runs?wait={wait}", json=ticket(customer, body, ticket_id=ticket_id)
        )
        assert answer.status_code == 202, answer.text
        return answer.json()

    def run(self, run_id: str, wait: float = 20) -> Any:
        """A run, once it rests."""
        return self.http.get(f"/v1/runs/{run_id}?wait={wait}").raise_for_status().json()

    def decide(self, run: Any, verdict: str, **more: Any) -> httpx.Response:
        """Answer the run's open approval."""
        [approval] = [a for a in run["approvals"] if a["status"] == "pending"]
        body = {"approval_id": approval["id"], "digest": approval["digest"], "verdict": verdict}
        return self.http.post(f"/v1/runs/{run['id']}/resume", json={**body, **more})
