"""What tracing costs: the worker's CPU of a run, by what is traced and how LangSmith is.

`python -m tests.bench.tracing [--quick]` sends questions to an API and one worker of the support
graph, whose model answers at once, on a Postgres of their own. The kinds take turns, each with a
worker of its own, and the table has the median of each: compare the ratios, not the numbers. JSON
lines go to the file that BENCH_JSON names.
"""

import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psutil
from pydantic import SecretStr

from app.commands.database import in_session
from app.commands.migrate import migrate
from app.db.core.embedded import embedded_postgres
from app.settings import Settings
from tests.acceptance.stack import free_port
from tests.bench.load import Connection, closed_loop
from tests.bench.options import command_line
from tests.bench.throughput import cpu_ms, ended, question_to_reply, spawn, wait_for
from tests.conftest import Tenant, make_tenant

CALLERS, WARM_UP = 8, 20
# What is still in the queues after the last run belongs to the runs.
SETTLE_SECONDS = 3
LIMIT_DOWN = 1.05


@dataclass(frozen=True, slots=True)
class Kind:
    """What is traced: the policy's `trace_content`, and whether LangSmith takes it."""

    name: str
    content: str | None
    up: bool = True


KINDS = (
    Kind("off", None),
    Kind("on, redacted (default)", "redacted"),
    Kind("on, full", "full"),
    Kind("on, none", "none"),
    Kind("redacted, LangSmith down", "redacted", up=False),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One kind: CPU of the worker in milliseconds a run, and what that is of two others."""

    kind: str
    cpu_ms_per_run: float
    x_off: float
    x_up: float


@contextlib.contextmanager
def worker(url: str, endpoint: str | None) -> Iterator[psutil.Process]:
    """A worker that traces to that address, or does not."""
    env = {"DESKGRAPH_DATABASE_URL": url, "DESKGRAPH_LOG_LEVEL": "ERROR"}
    if endpoint:
        env |= {
            "DESKGRAPH_LANGSMITH_API_KEY": "bench",
            "DESKGRAPH_LANGSMITH_ENDPOINT": endpoint,
            "DESKGRAPH_TRACE_FLUSH_SECONDS": "1",
        }
    process = spawn("tests.bench.serve", "worker", "support", env=env)
    with ended([process]):
        yield psutil.Process(process.pid)


def measure(url: str, port: int, tenant: Tenant, kind: Kind, langsmith: int, runs: int) -> float:
    """The worker's CPU a run."""
    address = f"http://127.0.0.1:{langsmith if kind.up else free_port()}"
    asyncio.run(set_content(port, tenant, kind.content))
    with worker(url, address if kind.content else None) as process:
        asyncio.run(closed_loop(port, tenant.starter, CALLERS, WARM_UP, question_to_reply))
        time.sleep(SETTLE_SECONDS)
        before = cpu_ms(process)
        asyncio.run(closed_loop(port, tenant.starter, CALLERS, runs, question_to_reply))
        time.sleep(SETTLE_SECONDS)
        return (cpu_ms(process) - before) / runs


async def set_content(port: int, tenant: Tenant, content: str | None) -> None:
    """The tenant's policy says so from the next run on."""
    connection = Connection(port, tenant.admin)
    body = {"trace_content": content or "redacted"}
    await connection.call("PUT", "/v1/policy", body, {"If-Match": "*"})
    connection.close()


def rows(costs: dict[str, list[float]]) -> list[Row]:
    """The median of each kind, beside no tracing and beside the default."""
    middle = {name: median(taken) for name, taken in costs.items()}
    off, up = middle[KINDS[0].name], middle[KINDS[1].name]
    return [Row(name, cost, cost / off, cost / up) for name, cost in middle.items()]


def run(url: str, folder: Path, *, rounds: int, runs: int) -> list[Row]:
    """Every kind in turn."""
    settings = Settings(_env_file=None, database_url=SecretStr(url), data_dir=folder)
    tenant = in_session(settings, make_tenant)
    port, langsmith = free_port(), free_port()
    env = {"DESKGRAPH_DATABASE_URL": url}
    processes = [spawn("tests.bench.serve", "langsmith", str(langsmith), env=env, wait=False)]
    costs: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
    with ended(processes):
        wait_for(langsmith)
        processes.append(spawn("tests.bench.serve", "api", str(port), env=env))
        for _ in range(rounds):
            for kind in KINDS:
                costs[kind.name].append(measure(url, port, tenant, kind, langsmith, runs))
    return rows(costs)


def report(measured: list[Row]) -> None:
    """A line for each kind, and one of JSON."""
    print("traced | worker's CPU ms a run | x off | x redacted")  # noqa: T201
    for row in measured:
        figures = f"{row.cpu_ms_per_run:.1f} | {row.x_off:.2f} | {row.x_up:.2f}"
        print(f"{row.kind} | {figures}")  # noqa: T201
    down = measured[-1].x_up
    print(f"down / up {down:.2f}: {'ok' if down <= LIMIT_DOWN else 'ABOVE TARGET'}")  # noqa: T201
    if path := os.environ.get("BENCH_JSON"):
        with Path(path).open("a") as out:
            out.writelines(
                json.dumps({"bench": "tracing", **asdict(row)}) + "\n" for row in measured
            )


def main() -> None:
    """Measure and print."""
    parser = command_line("tests.bench.tracing", __doc__)
    parser.add_argument("--quick", action="store_true", help="one round of fewer runs")
    quick: bool = parser.parse_args().quick
    with (
        tempfile.TemporaryDirectory(prefix="deskgraph-bench-") as folder,
        embedded_postgres(Path(folder, "pg")) as url,
    ):
        migrate(url, lambda _step: None)
        rounds, runs = (1, 60) if quick else (3, 150)
        report(run(url, Path(folder), rounds=rounds, runs=runs))


if __name__ == "__main__":
    main()
