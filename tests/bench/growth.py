"""100,000 paused runs: `python -m tests.bench.growth [RUNS]`.

A real API and worker on a Postgres of their own. Listing approvals, the API's memory and the time
from a decision to the run's end are measured with a page of paused runs and then with all of
them, which SQL generates, each with its approval, its message and a checkpoint. Prints a table;
JSON lines go to the file named by BENCH_JSON.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import psutil
import psycopg

from app.api.schemas import ExpandApproval
from app.commands.migrate import migrate
from app.db.core.connections import plain_dsn
from app.db.core.embedded import embedded_postgres
from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import Client, Stack, running
from tests.bench.options import command_line, positive

RUNS, LISTS, RESUMES = 100_000, 200, 10
PAGE = 20
TARGET_P95_MS = 50
TWICE = "I was charged twice for my Pro plan this month, please refund one of them"
# Copies of one paused run that the service itself made, so that every column is as it would be.
FILL = (
    """
    CREATE TEMP TABLE made AS SELECT gen_random_uuid() AS run, gen_random_uuid() AS thread,
        gen_random_uuid() AS approval, i FROM generate_series(1, %(runs)s) AS i""",
    """
    INSERT INTO runs (id, tenant_id, thread_id, ticket_id, customer_id, ticket, status, summary,
        attempt, policy_version, started_by, request_sha256, graph_version, started_at)
    SELECT m.run, r.tenant_id, m.thread, 'G-' || m.i, 'cus_' || m.i %% 20000, r.ticket, r.status,
        r.summary, r.attempt, r.policy_version, r.started_by, r.request_sha256, r.graph_version,
        r.started_at
    FROM made m, runs r WHERE r.id = %(run)s""",
    """
    INSERT INTO messages (tenant_id, ticket_id, run_id, author, key, text)
    SELECT r.tenant_id, r.ticket_id, r.id, 'customer', 'customer:' || r.id, r.ticket ->> 'body'
    FROM made m JOIN runs r ON r.id = m.run""",
    """
    INSERT INTO approvals (id, tenant_id, run_id, ticket_id, interrupt_id, kind, steps, gate,
        digest, verdicts, remind_at, expires_at, skill)
    SELECT m.approval, a.tenant_id, m.run, 'G-' || m.i, a.interrupt_id, a.kind, a.steps, a.gate,
        a.digest, a.verdicts, a.remind_at, a.expires_at, a.skill
    FROM made m, approvals a WHERE a.run_id = %(run)s""",
    """
    INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id,
        checkpoint, metadata)
    SELECT m.thread::text, '', c.checkpoint_id, c.parent_checkpoint_id, c.checkpoint, c.metadata
    FROM made m, (SELECT c.* FROM checkpoints c JOIN runs r ON r.thread_id::text = c.thread_id
        WHERE r.id = %(run)s ORDER BY checkpoint_id DESC LIMIT 1) c""",
)

# What a reviewer is shown.
EXPAND = list(get_args(ExpandApproval))


def p(samples: list[float], percent: int) -> float:
    """A percentile."""
    return statistics.quantiles(samples, n=100, method="inclusive")[percent - 1]


def timed(act: Callable[[], Any]) -> float:
    """How many milliseconds it took."""
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def listing(reviewer: Client) -> list[float]:
    """First pages and the pages after them, in turn, with all that a reviewer is shown."""
    cursor: str | None = None

    def page() -> None:
        nonlocal cursor
        query: dict[str, Any] = {
            "status": "pending",
            "expand": EXPAND,
            **({"cursor": cursor} if cursor else {}),
        }
        answer = reviewer.http.get("/v1/approvals", params=query).raise_for_status().json()
        cursor = answer["next_cursor"]

    return [timed(page) for _ in range(LISTS)]


def resumes(helpdesk: Client, reviewer: Client, name: str) -> list[float]:
    """From a decision to the run's end."""
    samples = []
    for number in range(RESUMES):
        run = helpdesk.start("cus_ann", TWICE, ticket_id=f"{name}-{number}")

        def decide(run: Any = run) -> None:
            assert reviewer.decide(run, "reject").status_code == 202
            until_final(helpdesk, run["id"])

        samples.append(timed(decide))
    return samples


def until_final(helpdesk: Client, run_id: str) -> None:
    """Wait for the end; a run that was just decided is pending for a moment."""
    while helpdesk.run(run_id)["finished_at"] is None:
        pass


def fill(url: str, run_id: str, runs: int) -> float:
    """Make the paused runs; seconds."""
    started = time.perf_counter()
    with psycopg.connect(plain_dsn(url)) as connection:
        for statement in FILL:
            connection.execute(statement.encode(), {"run": run_id, "runs": runs})
    with psycopg.connect(plain_dsn(url), autocommit=True) as connection:
        # What Postgres would do within minutes: else its own cleaning up is measured.
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
    return time.perf_counter() - started


def measure(stack: Stack, helpdesk: Client, reviewer: Client, name: str) -> dict[str, float]:
    """One line of the table; the API's own time of a core tells what a busy machine hides."""
    api = psutil.Process(stack.processes[0].pid)
    before = sum(api.cpu_times()[:2])
    lists = listing(reviewer)
    busy = sum(api.cpu_times()[:2]) - before
    ends = resumes(helpdesk, reviewer, name)
    memory = api.memory_info().rss / 2**20
    return {
        "list_p50_ms": p(lists, 50),
        "list_p95_ms": p(lists, 95),
        "list_cpu_ms": busy * 1000 / LISTS,
        "resume_p50_ms": p(ends, 50),
        "api_rss_mib": memory,
    }


def main() -> None:
    """Measure and print; exit code 1 when listing is too slow."""
    parser = command_line("tests.bench.growth", __doc__)
    parser.add_argument("runs", nargs="?", type=positive, default=RUNS, help="paused runs")
    runs: int = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder) / "pg") as url:
        migrate(url, lambda _step: None)
        tenant = asyncio.run(tenant_on(url))
        with running(Stack(url, Path(folder))) as stack:
            stack.api()
            stack.worker()
            helpdesk, reviewer = stack.client(tenant.starter), stack.client(tenant.approver)
            model = helpdesk.start("cus_ann", TWICE, ticket_id="model")
            # One full page, so that both lists show as much.
            fill(url, model["id"], PAGE)
            results = {f"{PAGE} paused": measure(stack, helpdesk, reviewer, "few")}
            took = fill(url, model["id"], runs)
            results[f"{runs} paused"] = measure(stack, helpdesk, reviewer, "full")
    print_results(results, runs, took)
    met = results[f"{runs} paused"]["list_p95_ms"] < TARGET_P95_MS
    sys.stdout.write(f"list p95 under {TARGET_P95_MS} ms: {'met' if met else 'missed'}\n")
    sys.exit(0 if met else 1)


def print_results(results: dict[str, dict[str, float]], runs: int, took: float) -> None:
    """The table on stdout, and the JSON lines."""
    names = list(next(iter(results.values())))
    lines = [f"{runs} paused runs generated in {took:.0f} s", " ".join(["state".ljust(14), *names])]
    for state, values in results.items():
        cells = [f"{values[name]:.1f}".rjust(len(name)) for name in names]
        lines.append(" ".join([state.ljust(14), *cells]))
    sys.stdout.write("\n".join(lines) + "\n")
    if path := os.environ.get("BENCH_JSON"):
        with Path(path).open("a") as out:
            for state, values in results.items():
                out.write(json.dumps({"bench": "growth", "state": state, **values}) + "\n")


if __name__ == "__main__":
    main()
