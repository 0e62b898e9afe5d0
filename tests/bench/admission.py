"""How late the event loops wake while many runs wait for models that take 300 ms.

`python -m tests.bench.admission [--quick]` sends tickets from 400 callers to an API and one worker
with 400 places, real processes on a Postgres of their own, and prints a table. The model is an
OpenAI-compatible server on loopback. JSON lines go to the file that BENCH_JSON names.
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

import psycopg
from pydantic import SecretStr

from app.commands.database import in_session
from app.commands.migrate import migrate
from app.db.core.embedded import embedded_postgres
from app.settings import Settings
from tests.acceptance.stack import free_port
from tests.bench.load import Connection, Load, closed_loop
from tests.bench.options import command_line
from tests.bench.throughput import ended, spawn, wait_for
from tests.conftest import make_tenant

CALLERS, PLACES, WARM_UP = 400, 400, 20
LIMIT_MS = 50.0
BUSY = "SELECT count(*) FROM runs WHERE status = 'running'"


@dataclass(frozen=True, slots=True)
class Lag:
    """How late a task woke, in milliseconds; `own` is at most what the loop's work is of p99.

    The rest is the wait for a core, which other processes have.
    """

    p50_ms: float
    p99_ms: float
    max_ms: float
    own_p99_ms: float


@dataclass(frozen=True, slots=True)
class Result:
    """One load: the runs that advanced at once, how fast they ended, and each loop's lag."""

    runs: int
    most_at_once: int
    answered: int
    runs_per_s: float
    p50_ms: float
    p99_ms: float
    worker: Lag
    api: Lag


async def start_to_final(connection: Connection, number: int) -> float:
    """Milliseconds from the POST until the run is final, however often one has to ask."""
    name = f"A-{time.time_ns()}-{number}"
    ticket = {
        "id": name, "subject": f"Opening hours {name}", "body": f"When are you open? {name}",
        "customer": {"id": name},
    }  # fmt: skip
    begin = time.perf_counter()
    run = await connection.call("POST", "/v1/runs?wait=30", {"ticket": ticket})
    while run["status"] in ("pending", "running"):
        run = await connection.call("GET", f"/v1/runs/{run['id']}?wait=30")
    assert run["status"] == "success", run
    return (time.perf_counter() - begin) * 1000


async def load(url: str, port: int, key: str, callers: int, runs: int) -> tuple[Load, int]:
    """The load, and how many runs a worker held at most."""
    most = 0

    async def count() -> None:
        nonlocal most
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            while True:
                [[busy]] = await (await connection.execute(BUSY)).fetchall()
                most = max(most, busy)
                await asyncio.sleep(0.25)

    counting = asyncio.create_task(count())
    done = await closed_loop(port, key, callers, runs, start_to_final)
    counting.cancel()
    return done, most


@contextlib.contextmanager
def service(url: str, folder: Path, places: int) -> Iterator[int]:
    """A model, the API and a worker with so many places; the API's port."""
    model, port = free_port(), free_port()
    env = {
        "DESKGRAPH_DATABASE_URL": url,
        "DESKGRAPH_WORKER_CONCURRENCY": str(places),
        "DESKGRAPH_MODEL_CALLS_PER_TENANT": str(CALLERS),
        "DESKGRAPH_OPENAI_API_KEY": "bench",
        "DESKGRAPH_OPENAI_BASE_URL": f"http://127.0.0.1:{model}/v1",
        "BENCH_LAG": str(folder),
    }
    processes = [spawn("tests.bench.serve", "model", str(model), env=env, wait=False)]
    with ended(processes):
        wait_for(model)
        processes.append(spawn("tests.bench.serve", "api", str(port), env=env))
        processes.append(spawn("tests.bench.serve", "worker", "remote", env=env))
        yield port


def lag(folder: Path, part: str, begin: float, end: float) -> Lag:
    """What the part noted from one time to another."""
    [file] = folder.glob(f"{part}-*.json")
    noted = [times for at, *times in json.loads(file.read_text()) if begin <= at <= end]
    late, own = (sorted(1000 * times[column] for times in noted) for column in (0, 1))
    most = int(len(noted) * 0.99)
    return Lag(late[len(late) // 2], late[most], late[-1], own[most])


def measure(url: str, key: str, folder: Path, places: int, runs: int) -> Result:
    """Warm up, then the load."""
    with service(url, folder, places) as port:
        asyncio.run(load(url, port, key, WARM_UP, WARM_UP * 2))
        begin = time.monotonic()
        done, most = asyncio.run(load(url, port, key, CALLERS, runs))
        end = time.monotonic()
    with psycopg.connect(url) as connection:
        counted = "SELECT count(*) FROM runs WHERE outcome = 'answered'"
        [[answered]] = connection.execute(counted).fetchall()
    return Result(
        runs, most, answered - WARM_UP * 2,
        done.per_second, done.percentile(0.5), done.percentile(0.99),
        lag(folder, "worker", begin, end), lag(folder, "api", begin, end),
    )  # fmt: skip


def report(result: Result) -> None:
    """A line for each loop, and one of JSON."""
    done = f"{result.runs} runs, {result.answered} answered, {result.most_at_once} at once"
    times = f"p50 {result.p50_ms / 1000:.1f} s, p99 {result.p99_ms / 1000:.1f} s"
    print(f"{done}: {result.runs_per_s:.1f} runs/s, {times}")  # noqa: T201
    for name, late in (("worker", result.worker), ("API", result.api)):
        lags = " | ".join(f"{ms:.0f}" for ms in asdict(late).values())
        verdict = "ok" if late.p99_ms <= LIMIT_MS else "ABOVE TARGET"
        print(f"lag ms p50 | p99 | max | own p99: {name} | {lags} | {verdict}")  # noqa: T201
    if path := os.environ.get("BENCH_JSON"):
        with Path(path).open("a") as out:
            out.write(json.dumps({"bench": "admission", **asdict(result)}) + "\n")


def main() -> None:
    """Measure and print."""
    parser = command_line("tests.bench.admission", __doc__)
    parser.add_argument("--quick", action="store_true", help="a third of the runs")
    runs = CALLERS if parser.parse_args().quick else 3 * CALLERS
    with (
        tempfile.TemporaryDirectory(prefix="deskgraph-bench-") as folder,
        embedded_postgres(Path(folder, "pg")) as url,
    ):
        migrate(url, lambda _step: None)
        settings = Settings(_env_file=None, database_url=SecretStr(url))
        report(measure(url, in_session(settings, make_tenant).starter, Path(folder), PLACES, runs))


if __name__ == "__main__":
    main()
