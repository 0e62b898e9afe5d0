"""Runs per second, latency and CPU of the whole service, beside the stock handler in one run.

`python -m tests.bench.throughput [--quick]` prints a table; JSON lines go to the file that
BENCH_JSON names.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from pydantic import SecretStr

from app.commands.database import in_session
from app.commands.migrate import migrate
from app.db.core.embedded import embedded_postgres
from app.settings import Settings
from tests.acceptance.stack import free_port
from tests.bench.canned import QUESTION
from tests.bench.load import Connection, Load, closed_loop, open_loop
from tests.bench.options import command_line
from tests.bench.reference import GATED, MESSAGE
from tests.conftest import Tenant, make_tenant

Job = Callable[[Connection, int], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    bench: str
    callers: int
    workers: int
    runs_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms_per_run: float
    cpu_python_ms: float
    cpu_postgres_ms: float
    statements_per_run: float
    wal_kb_per_run: float
    ratio_to_stock_handler: float | None = None


def spawn(*arguments: str, env: dict[str, str], wait: bool = True) -> subprocess.Popen[str]:
    """A process of the measured side, once it said that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    if wait and arguments[0] == "tests.bench.serve":
        while "ready" not in process.stdout.readline():
            assert process.poll() is None, "the process ended"
    return process


def body(number: int, *, gated: bool = False) -> dict[str, Any]:
    """A ticket of its own for every call; the branch changes with the number."""
    text = (GATED if gated else "") + MESSAGE + "!" * (number % 3)
    ticket = {"id": f"B-{time.time_ns()}-{number}", "subject": "bench", "body": text}
    return {"ticket": {**ticket, "customer": {"id": f"c-{time.time_ns()}"}}}


async def start_to_final(connection: Connection, number: int) -> float:
    """Milliseconds from the POST to its final answer."""
    begin = time.perf_counter()
    run = await connection.call("POST", "/v1/runs?wait=30", body(number))
    assert run["status"] == "success", run
    return (time.perf_counter() - begin) * 1000


async def question_to_reply(connection: Connection, number: int) -> float:
    """The same for a question that the support graph answers by itself."""
    posted = body(number)
    posted["ticket"]["body"] = QUESTION.format(time.time_ns()) * 30
    begin = time.perf_counter()
    run = await connection.call("POST", "/v1/runs?wait=30", posted)
    assert (run["status"], run["outcome"], run["cache_hit"]) == ("success", "answered", False), run
    return (time.perf_counter() - begin) * 1000


def resume_to_final(approver: str) -> Job:
    """Milliseconds from the decision to the final run."""

    async def job(connection: Connection, number: int) -> float:
        run = await connection.call("POST", "/v1/runs?wait=30", body(number, gated=True))
        [approval] = run["approvals"]
        decision = {
            "approval_id": approval["id"], "digest": approval["digest"], "verdict": "approve",
        }  # fmt: skip
        other = Connection(connection.port, approver)
        await other.call("GET", "/healthz")
        begin = time.perf_counter()
        await other.call("POST", f"/v1/runs/{run['id']}/resume", decision)
        run = await other.call("GET", f"/v1/runs/{run['id']}?wait=30")
        took = (time.perf_counter() - begin) * 1000
        other.close()
        assert run["status"] == "success", run
        return took

    return job


class Bench:
    """One database server and what was measured on it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.settings = Settings(_env_file=None, database_url=SecretStr(url))
        self.rows: list[Row] = []

    def tenant(self) -> Tenant:
        """A tenant of its own, without rate limits."""
        return in_session(self.settings, make_tenant)

    @contextlib.contextmanager
    def service(self, graph: str, workers: int) -> Iterator[tuple[int, list[int]]]:
        """Our API and workers; its port and the processes' ids."""
        port = free_port()
        env = {
            "DESKGRAPH_DATABASE_URL": self.url,
            "DESKGRAPH_SECRET_KEY": "bench",
            "DESKGRAPH_LOG_LEVEL": "WARNING",
        }
        processes = [spawn("app.cli", "api", "--port", str(port), env=env)]
        processes += [spawn("tests.bench.serve", "worker", graph, env=env) for _ in range(workers)]
        with ended(processes):
            wait_for(port)
            yield port, [process.pid for process in processes]

    @contextlib.contextmanager
    def stock(self) -> Iterator[tuple[int, list[int]]]:
        """The stock handler."""
        port = free_port()
        env = {"DESKGRAPH_DATABASE_URL": self.url}
        process = spawn("tests.bench.serve", "stock", str(port), env=env)
        with ended([process]):
            wait_for(port)
            yield port, [process.pid]

    def measure(
        self, name: str, callers: int, workers: int, pids: list[int], load: Callable[[], Load]
    ) -> Row:
        """Run a load between two readings of the clocks."""
        before = self.counters(pids)
        done = load()
        after = self.counters(pids)
        python, postgres, statements, wal = (
            (b - a) / len(done.times_ms) for a, b in zip(before, after, strict=True)
        )
        row = Row(
            name, callers, workers, done.per_second, done.percentile(0.5), done.percentile(0.99),
            python + postgres, python, postgres, statements, wal / 1024,
        )  # fmt: skip
        self.rows.append(row)
        return row

    def counters(self, pids: list[int]) -> tuple[float, float, float, float]:
        """CPU ms of Python and of Postgres, statements (commits), and bytes of WAL, so far."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            [[pid]] = connection.execute("SELECT pg_backend_pid()").fetchall()
            [[wal]] = connection.execute(
                "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8"
            ).fetchall()
            [[commits]] = connection.execute(
                "SELECT xact_commit::float8 FROM pg_stat_database WHERE datname=current_database()"
            ).fetchall()
            server = psutil.Process(pid).parent()
        assert server is not None
        postgres = sum(cpu_ms(p) for p in [server, *server.children(recursive=True)])
        return sum(cpu_ms(psutil.Process(p)) for p in pids), postgres, commits, wal


def cpu_ms(process: psutil.Process) -> float:
    """User and system time of a process in milliseconds; ended children of Postgres included."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        children = times.children_user + times.children_system
        return (times.user + times.system + children) * 1000
    return 0.0


@contextlib.contextmanager
def ended(processes: list[subprocess.Popen[str]]) -> Iterator[None]:
    """Stop them at the end."""
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def wait_for(port: int) -> None:
    """Until a process listens."""

    async def poll() -> None:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)

    asyncio.run(asyncio.wait_for(poll(), 30))


def closed(port: int, key: str, callers: int, calls: int, job: Job) -> Callable[[], Load]:
    """A closed loop that can be run."""
    return lambda: asyncio.run(closed_loop(port, key, callers, calls, job))


def opened(port: int, key: str, per_second: float, calls: int) -> Callable[[], Load]:
    """An open loop that can be run."""
    return lambda: asyncio.run(open_loop(port, key, per_second, calls, start_to_final))


def run(bench: Bench, *, quick: bool) -> None:
    """Every load, the stock handler first."""
    scale = 1 if quick else 4
    key = bench.tenant()
    stock: dict[int, float] = {}
    with bench.stock() as (port, pids):
        closed(port, key.starter, 4, 50, start_to_final)()
        for callers in (1, 16, 64):
            calls = (40 if callers == 1 else 300) * scale
            load = closed(port, key.starter, callers, calls, start_to_final)
            stock[callers] = bench.measure("stock handler", callers, 0, pids, load).runs_per_s
    for workers in (1, 2):
        with bench.service("reference", workers) as (port, pids):
            closed(port, key.starter, 4, 50, start_to_final)()
            for callers in (1, 16, 64):
                calls = (40 if callers == 1 else 300) * scale
                load = closed(port, key.starter, callers, calls, start_to_final)
                row = bench.measure("reference", callers, workers, pids, load)
                bench.rows[-1] = Row(**{**asdict(row), "ratio_to_stock_handler":
                                        row.runs_per_s / stock[callers]})  # fmt: skip
            if workers == 1:
                load = closed(port, key.starter, 1, 30 * scale, resume_to_final(key.approver))
                bench.measure("resume to final", 1, workers, pids, load)
                by_clock = opened(port, key.starter, 0.5 * stock[16], 150 * scale)
                bench.measure("open loop", round(0.5 * stock[16]), workers, pids, by_clock)
    with bench.service("support", 1) as (port, pids):
        closed(port, key.starter, 4, 20, question_to_reply)()
        load = closed(port, key.starter, 16, 100 * scale, question_to_reply)
        bench.measure("support graph", 16, 1, pids, load)


def table(rows: list[Row]) -> str:
    """The rows as text."""
    head = ("bench", "callers", "workers", "runs/s", "p50 ms", "p99 ms", "cpu ms", "python",
            "postgres", "commits", "WAL kB", "x stock")  # fmt: skip
    lines: list[tuple[str, ...]] = [head]
    for row in rows:
        cells = list(asdict(row).values())
        lines.append(tuple(f"{c:.2f}" if isinstance(c, float) else str(c or "") for c in cells))
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def main() -> None:
    """Measure and print."""
    parser = command_line("tests.bench.throughput", __doc__)
    parser.add_argument("--quick", action="store_true", help="a quarter of the calls")
    quick: bool = parser.parse_args().quick
    with (
        tempfile.TemporaryDirectory(prefix="deskgraph-bench-") as folder,
        embedded_postgres(Path(folder)) as url,
    ):
        migrate(url, lambda _step: None)
        bench = Bench(url)
        try:
            run(bench, quick=quick)
        finally:
            print(table(bench.rows))  # noqa: T201  # its purpose
        if path := os.environ.get("BENCH_JSON"):
            with Path(path).open("a") as out:
                out.writelines(json.dumps(asdict(row)) + "\n" for row in bench.rows)


if __name__ == "__main__":
    main()
