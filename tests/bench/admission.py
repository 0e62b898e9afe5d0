"""How late the event loops wake while many runs wait for models that take 300 ms.

`python -m tests.bench.admission [--quick]` sends tickets from 400 callers to an API and one worker
with 400 places, real processes on a Postgres of their own, and prints a table: also what share of a
core the worker had, which is how near its throughput came to what its CPU allows. Then tickets come
by the clock, at 70 % of that throughput, and each start is timed. The model is an OpenAI-compatible
server on loopback. JSON lines go to the file that BENCH_JSON names.
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

import psutil
import psycopg
from pydantic import SecretStr

from app.commands.database import in_session
from app.commands.migrate import migrate
from app.db.core.embedded import embedded_postgres
from app.settings import Settings
from tests.acceptance.stack import free_port
from tests.bench.load import Connection, Load, closed_loop, open_loop
from tests.bench.options import command_line
from tests.bench.throughput import cpu_ms, ended, spawn, wait_for
from tests.conftest import make_tenant

CALLERS, PLACES, WARM_UP = 400, 400, 20
# Of the throughput, for the starts that come by the clock.
CALM_SHARE = 0.7
LIMIT_MS = 50.0
ANSWERED = "SELECT count(*) FROM runs WHERE outcome = 'answered'"
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
    # Of the worker's: milliseconds of CPU a run, and of one core, so that 1.0 is its CPU's bound.
    cpu_ms: float
    core: float
    start_p50_ms: float
    start_p99_ms: float
    worker: Lag
    api: Lag


def body(number: int) -> dict[str, object]:
    """A ticket that no other is like."""
    name = f"A-{time.time_ns()}-{number}"
    ticket = {
        "id": name, "subject": f"Opening hours {name}", "body": f"When are you open? {name}",
        "customer": {"id": name},
    }  # fmt: skip
    return {"ticket": ticket}


async def start(connection: Connection, number: int) -> float:
    """Milliseconds of the POST alone."""
    begin = time.perf_counter()
    await connection.call("POST", "/v1/runs", body(number))
    return (time.perf_counter() - begin) * 1000


async def start_to_final(connection: Connection, number: int) -> float:
    """Milliseconds from the POST until the run is final, however often one has to ask."""
    begin = time.perf_counter()
    run = await connection.call("POST", "/v1/runs?wait=30", body(number))
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
def service(url: str, folder: Path, places: int) -> Iterator[tuple[int, psutil.Process]]:
    """A model, the API and a worker with so many places; the API's port, and the worker."""
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
        yield port, psutil.Process(processes[-1].pid)


def lag(folder: Path, part: str, begin: float, end: float) -> Lag:
    """What the part noted from one time to another."""
    [file] = folder.glob(f"{part}-*.json")
    noted = [times for at, *times in json.loads(file.read_text()) if begin <= at <= end]
    late, own = (sorted(1000 * times[column] for times in noted) for column in (0, 1))
    most = int(len(noted) * 0.99)
    return Lag(late[len(late) // 2], late[most], late[-1], own[most])


def measure(url: str, key: str, folder: Path, places: int, runs: int) -> Result:
    """Warm up, then the load."""
    with service(url, folder, places) as (port, worker):
        asyncio.run(load(url, port, key, WARM_UP, WARM_UP * 2))
        begin, used = time.monotonic(), cpu_ms(worker)
        done, most = asyncio.run(load(url, port, key, CALLERS, runs))
        end, used = time.monotonic(), cpu_ms(worker) - used
        with psycopg.connect(url) as connection:
            [[answered]] = connection.execute(ANSWERED.encode()).fetchall()
        calm = CALM_SHARE * done.per_second
        starts = asyncio.run(open_loop(port, key, calm, runs // 2, start))
    return Result(
        runs, most, answered - WARM_UP * 2,
        done.per_second, done.percentile(0.5), done.percentile(0.99),
        used / runs, used / 1000 / (end - begin),
        starts.percentile(0.5), starts.percentile(0.99),
        lag(folder, "worker", begin, end), lag(folder, "api", begin, end),
    )  # fmt: skip


def report(result: Result) -> None:
    """A line for each loop, and one of JSON."""
    done = f"{result.runs} runs, {result.answered} answered, {result.most_at_once} at once"
    times = f"p50 {result.p50_ms / 1000:.1f} s, p99 {result.p99_ms / 1000:.1f} s"
    print(f"{done}: {result.runs_per_s:.1f} runs/s, {times}")  # noqa: T201
    print(f"worker: {result.cpu_ms:.0f} ms of CPU a run, {result.core:.2f} of a core")  # noqa: T201
    calm = f"p50 {result.start_p50_ms:.0f}, p99 {result.start_p99_ms:.0f}"
    print(f"starts at {CALM_SHARE:.0%} of that, ms: {calm}")  # noqa: T201
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
