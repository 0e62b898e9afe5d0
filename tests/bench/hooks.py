"""How long a helpdesk waits until its hook is taken, while every worker has more than it can do.

`python -m tests.bench.hooks [--quick]` posts 50 signed hooks a second to an API, each about a new
ticket. One worker reads the tickets at a desk on loopback, answers them by the support graph with a
model that takes no time, and is far behind: a second's hooks are more than it does in a second.
Real processes on a Postgres of their own. JSON lines go to the file that BENCH_JSON names.
"""

import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
from pydantic import SecretStr
from standardwebhooks import Webhook

from app.commands.database import in_session
from app.commands.migrate import migrate
from app.db.core.embedded import embedded_postgres
from app.settings import Settings
from tests.acceptance.stack import free_port
from tests.bench.load import Connection, Load, open_loop
from tests.bench.options import command_line
from tests.bench.throughput import cpu_ms, ended, spawn, wait_for
from tests.conftest import ENCRYPTION_KEY, Tenant, make_tenant

PER_SECOND, SECONDS, QUICK_SECONDS = 50, 60, 15
# The first hooks only make the worker busy.
WARM_UP = 150
TARGET_MS = 250.0
SAMPLE_SECONDS = 0.25
# What the workers are behind with: hooks that are not acted on, and runs that wait for a place.
BEHIND = """
SELECT (SELECT count(*) FROM inbox WHERE status = 'new')
     + (SELECT count(*) FROM runs WHERE status = 'pending')"""
DONE = "SELECT count(*) FROM runs WHERE status = 'success'"


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds from a hook to its 202, what it took of the API's CPU, and how far behind the
    worker was meanwhile."""

    hooks: int
    per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    api_cpu_ms: float
    least_behind: int
    runs_per_s: float


@contextlib.contextmanager
def service(url: str) -> Iterator[tuple[int, int, int]]:
    """A desk, the API and a worker; the API's port, its process id, and the desk's port."""
    desk, port = free_port(), free_port()
    env = {
        "DESKGRAPH_DATABASE_URL": url,
        "DESKGRAPH_ENCRYPTION_KEYS": json.dumps([ENCRYPTION_KEY]),
        "DESKGRAPH_CALLBACK_ALLOW": '["127.0.0.0/8"]',
    }
    processes = [spawn("tests.bench.serve", "desk", str(desk), env=env, wait=False)]
    with ended(processes):
        wait_for(desk)
        processes.append(spawn("tests.bench.serve", "api", str(port), env=env))
        processes.append(spawn("tests.bench.serve", "worker", "support", env=env))
        yield port, processes[1].pid, desk


async def connected(port: int, admin: str, desk: int) -> tuple[str, str]:
    """The path of the desk's hooks, and the secret that signs them."""
    body = {
        "kind": "webhook",
        "name": "bench",
        "settings": {"url": f"http://127.0.0.1:{desk}/deskgraph"},
    }
    caller = Connection(port, admin)
    made = await caller.call("POST", "/v1/connections", body)
    caller.close()
    return made["hook_path"], made["hook_secret"]


def hook(path: str, secret: str, name: str) -> Callable[[Connection, int], Awaitable[float]]:
    """Milliseconds until the hook of a new ticket is taken."""
    webhook = Webhook(secret)

    async def job(connection: Connection, number: int) -> float:
        ticket, now = f"{name}-{number}", datetime.now(UTC)
        message = {"id": "1", "author": "customer", "public": True}
        body = {"type": "message.created", "data": {"ticket": {"id": ticket}, "message": message}}
        signed = {
            "webhook-id": ticket,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": webhook.sign(ticket, now, json.dumps(body)),
        }
        begin = time.perf_counter()
        taken = await connection.call("POST", path, body, signed)
        took = (time.perf_counter() - begin) * 1000
        assert taken == {"duplicate": False}, taken
        return took

    return job


async def load(url: str, port: int, path: str, secret: str, seconds: int) -> tuple[Load, int]:
    """The hooks, and how far behind the worker was at least."""
    least: list[int] = []

    async def count() -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as books:
            while True:
                [[behind]] = await (await books.execute(BEHIND)).fetchall()
                least.append(behind)
                await asyncio.sleep(SAMPLE_SECONDS)

    await open_loop(port, "", PER_SECOND, WARM_UP, hook(path, secret, "warm-up"))
    counting = asyncio.create_task(count())
    done = await open_loop(port, "", PER_SECOND, PER_SECOND * seconds, hook(path, secret, "hook"))
    counting.cancel()
    return done, min(least)


def count_of(url: str, query: str) -> int:
    """What the query counts."""
    with psycopg.connect(url) as books:
        [[found]] = books.execute(query.encode()).fetchall()
    return int(found)


def measure(url: str, tenant: Tenant, seconds: int) -> Result:
    """Make the worker busy, then post the hooks."""
    with service(url) as (port, api, desk):
        path, secret = asyncio.run(connected(port, tenant.admin, desk))
        begin, used = time.monotonic(), cpu_ms(psutil.Process(api))
        done, behind = asyncio.run(load(url, port, path, secret, seconds))
        used = (cpu_ms(psutil.Process(api)) - used) / (len(done.times_ms) + WARM_UP)
        runs = count_of(url, DONE) / (time.monotonic() - begin)
    return Result(
        len(done.times_ms), done.per_second, done.percentile(0.5), done.percentile(0.99),
        max(done.times_ms), used, behind, runs,
    )  # fmt: skip


def report(result: Result) -> None:
    """A line for people, and one of JSON."""
    parts = (
        f"{result.hooks} hooks at {result.per_s:.0f} a second",
        f"p50 {result.p50_ms:.0f} ms, p99 {result.p99_ms:.0f} ms, max {result.max_ms:.0f} ms",
        f"{result.api_cpu_ms:.1f} ms of the API's CPU each",
        f"the worker was behind by {result.least_behind} or more, {result.runs_per_s:.1f} runs/s",
    )
    verdict = "ok" if result.p99_ms <= TARGET_MS else "ABOVE TARGET"
    busy = "" if result.least_behind > 0 else " | THE WORKER WAS NOT BUSY"
    print(f"{'; '.join(parts)} | {verdict}{busy}")  # noqa: T201
    if path := os.environ.get("BENCH_JSON"):
        with Path(path).open("a") as out:
            out.write(json.dumps({"bench": "hooks", **asdict(result)}) + "\n")


def main() -> None:
    """Measure and print."""
    parser = command_line("tests.bench.hooks", __doc__)
    parser.add_argument("--quick", action="store_true", help="15 seconds instead of 60")
    seconds = QUICK_SECONDS if parser.parse_args().quick else SECONDS
    with (
        tempfile.TemporaryDirectory(prefix="deskgraph-bench-") as folder,
        embedded_postgres(Path(folder, "pg")) as url,
    ):
        migrate(url, lambda _step: None)
        settings = Settings(_env_file=None, database_url=SecretStr(url))
        report(measure(url, in_session(settings, make_tenant), seconds))


if __name__ == "__main__":
    main()
