"""What a quiet customer notices of another one's flood: `python -m tests.bench.fairness`.

Real processes on a Postgres of its own, the offline model, the default policy. The quiet customer
sends a ticket at a time and waits for its end, first alone, then while 200 tickets of another
customer come in. Prints a table; JSON lines go to the file named by BENCH_JSON.
"""

import asyncio
import json
import multiprocessing
import os
import secrets
import statistics
import tempfile
import time
from argparse import Namespace
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from app.commands.migrate import migrate
from app.db.core.connections import Sessions, make_engine
from app.db.core.embedded import embedded_postgres
from tests.acceptance.stack import Stack, running, ticket
from tests.bench.options import command_line, positive
from tests.conftest import Tenant, make_tenant

FLOOD, CONNECTIONS, SAMPLES, PAUSE_SECONDS = 200, 4, 30, 0.1
QUESTION = "What are your opening hours?"
TARGET = 2.0


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds from POST to the end, by the quiet customer's watch."""

    flood: str
    workers: int
    concurrency: int
    alone_p50: float
    alone_p95: float
    during_p50: float
    during_p95: float
    queued_p95: float
    running_p95: float
    flood_seconds: float

    @property
    def ratio(self) -> float:
        """How much longer the quiet customer's p95 is."""
        return self.during_p95 / self.alone_p95


def p95(samples: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(samples, n=20, method="inclusive")[-1]


@dataclass(frozen=True, slots=True)
class Sample:
    """Milliseconds of one ticket: for its sender, in the queue, in the worker."""

    total: float
    queued: float
    running: float


def between(run: dict[str, Any], begin: str, end: str) -> float:
    """Milliseconds from one time of the run to another."""
    first, last = (datetime.fromisoformat(run[name]) for name in (begin, end))
    return (last - first).total_seconds() * 1000


def quiet(http: httpx.Client, customer: str, samples: int = SAMPLES) -> list[Sample]:
    """Send tickets one after the other."""
    times = []
    for number in range(samples):
        body = ticket(customer, QUESTION, f"{customer}-{number}")
        begin = time.perf_counter()
        run = http.post("/v1/runs?wait=30", json=body).raise_for_status().json()
        total = (time.perf_counter() - begin) * 1000
        assert run["status"] == "success", run
        queued = between(run, "created_at", "started_at")
        times.append(Sample(total, queued, between(run, "started_at", "finished_at")))
        time.sleep(PAUSE_SECONDS)
    return times


def flood(url: str, key: str, customer: str, tickets: int) -> None:
    """Send the flood over a few connections, as fast as the service takes it."""

    async def send(http: httpx.AsyncClient, numbers: list[int]) -> None:
        for number in numbers:
            body = ticket(customer, QUESTION, f"{customer}-{number % tickets}")
            (await http.post("/v1/runs", json=body)).raise_for_status()

    async def main() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
            shares = [list(range(n, FLOOD, CONNECTIONS)) for n in range(CONNECTIONS)]
            await asyncio.gather(*[send(http, share) for share in shares])

    asyncio.run(main())


def measure(stack: Stack, key: str, tickets: int, workers: int, concurrency: int) -> Result:
    """The quiet customer alone, then during the flood over that many tickets."""
    name = secrets.token_hex(3)
    http = stack.client(key).http
    quiet(http, f"warm-{name}", 5)
    alone = quiet(http, f"alone-{name}")
    flooding = multiprocessing.get_context("spawn").Process(
        target=flood, args=(stack.url, key, f"flood-{name}", tickets)
    )
    begin = time.perf_counter()
    flooding.start()
    during: list[Sample] = []
    seconds = 0.0
    while flooding.is_alive() or len(during) < SAMPLES:
        # Another customer for each ten, so that their own rate does not count.
        during += quiet(http, f"during-{name}-{len(during)}", 10)
        seconds = seconds if seconds and not flooding.is_alive() else time.perf_counter() - begin
    flooding.join()
    assert flooding.exitcode == 0
    before, after = [s.total for s in alone], [s.total for s in during]
    return Result(
        f"{FLOOD} on {tickets}", workers, concurrency,
        statistics.median(before), p95(before), statistics.median(after), p95(after),
        p95([s.queued for s in during]), p95([s.running for s in during]), seconds,
    )  # fmt: skip


async def make(url: str) -> Tenant:
    """A tenant with the demo's articles."""
    engine = make_engine(url, 2)
    async with Sessions(engine).begin() as session:
        tenant = await make_tenant(session)
    await engine.dispose()
    return tenant


def plan(text: str) -> tuple[int, int]:
    """Workers and a customer's concurrency, from `2,1`; ArgumentTypeError when it is not that."""
    workers, _, concurrency = text.partition(",")
    return positive(workers), positive(concurrency)


def options() -> Namespace:
    """What the command line asks for."""
    parser = command_line("tests.bench.fairness", __doc__)
    parser.add_argument(
        "plans", nargs="*", type=plan, default=[(1, 1), (2, 1)], metavar="PLAN",
        help="WORKERS,CONCURRENCY of a customer, such as 2,1",
    )  # fmt: skip
    return parser.parse_args()


def main() -> None:
    """Measure with one worker and with two, and the flood on one ticket and on many."""
    plans = options().plans
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder, "pg")) as url:
        migrate(url, lambda _step: None)
        tenant = asyncio.run(make(url))
        for workers, concurrency in plans:
            env = {"DESKGRAPH_CUSTOMER_CONCURRENCY": str(concurrency)}
            # Of its own: a stack reads in its logs whether its processes are up.
            logs = Path(tempfile.mkdtemp(dir=folder))
            with running(Stack(url, logs, **env)) as stack:
                stack.api()
                for _ in range(workers):
                    stack.worker()
                for tickets in (FLOOD, 1):
                    report(measure(stack, tenant.starter, tickets, workers, concurrency))


def report(result: Result) -> None:
    """One line of the table, and one of JSON."""
    row = " | ".join(f"{k}={v:.0f}" if isinstance(v, float) else f"{k}={v}"
                     for k, v in asdict(result).items())  # fmt: skip
    verdict = "ok" if result.ratio <= TARGET else "ABOVE TARGET"
    print(f"{row} | ratio={result.ratio:.2f} {verdict}", flush=True)  # noqa: T201
    if path := os.environ.get("BENCH_JSON"):
        line = {"bench": "fairness", **asdict(result), "ratio": result.ratio, "target": TARGET}
        with Path(path).open("a") as out:
            out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
