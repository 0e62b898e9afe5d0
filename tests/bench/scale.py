"""Which part is full first: CPU of the API, the workers, Postgres and PgBouncer for one run.

`python -m tests.bench.scale [RUNS]` sends tickets to an API and two workers, first straight to
Postgres, then through PgBouncer in transaction mode, and prints a table.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from app.commands.migrate import migrate
from app.db.core.embedded import embedded_postgres
from tests.acceptance.pooler import PROGRAM, pooling
from tests.bench.options import command_line, positive
from tests.bench.throughput import Bench, closed, cpu_ms, start_to_final

RUNS, CALLERS, WORKERS, SERVERS = 200, 16, 2, 10
HEADINGS = (
    "way", "runs/s", "API", "workers", "Postgres", "PgBouncer", "commits a run", "WAL kB a run",
)  # fmt: skip


def measure(way: str, bench: Bench, runs: int, pooler: list[int]) -> tuple[str, ...]:
    """One line: milliseconds of CPU a run for each part."""
    key = bench.tenant().starter
    with bench.service("support", WORKERS) as (port, pids):
        closed(port, key, CALLERS, CALLERS * 2, start_to_final)()
        processes = [psutil.Process(pid) for pid in [*pids, *pooler]]
        before = [cpu_ms(process) for process in processes]
        _, postgres, commits, wal = bench.counters([])
        load = closed(port, key, CALLERS, runs, start_to_final)()
        _, *counted = bench.counters([])
        api, *others = [cpu_ms(p) - b for p, b in zip(processes, before, strict=True)]
        workers, rest = others[:WORKERS], others[WORKERS:]
    cpu = [api, sum(workers), counted[0] - postgres, sum(rest)]
    each = [*cpu, counted[1] - commits, (counted[2] - wal) / 1024]
    return way, f"{load.per_second:.0f}", *(f"{value / runs:.1f}" for value in each)


@contextmanager
def through_pooler(url: str) -> Iterator[tuple[Bench, list[int]]]:
    """The same database behind a pooler, and the pooler's process."""
    with tempfile.TemporaryDirectory(prefix="deskgraph-pooler-") as folder:
        os.environ["DESKGRAPH_DIRECT_DATABASE_URL"] = url
        os.environ["DESKGRAPH_PREPARED_STATEMENTS"] = "false"
        with pooling(url, Path(folder), SERVERS) as pooler:
            assert pooler.popen is not None
            yield Bench(pooler.url), [pooler.popen.pid]


def main() -> None:
    """Measure both ways and print; without PgBouncer only one."""
    parser = command_line("tests.bench.scale", __doc__)
    parser.add_argument("runs", nargs="?", type=positive, default=RUNS, help="runs each way")
    runs: int = parser.parse_args().runs
    with (
        tempfile.TemporaryDirectory(prefix="deskgraph-bench-") as folder,
        embedded_postgres(Path(folder)) as url,
    ):
        migrate(url, lambda _step: None)
        lines = [HEADINGS, ("---",) * len(HEADINGS), measure("direct", Bench(url), runs, [])]
        if PROGRAM:
            with through_pooler(url) as (bench, pooler):
                lines.append(measure("PgBouncer", bench, runs, pooler))
    for cells in lines:
        print("| " + " | ".join(cells) + " |")  # noqa: T201


if __name__ == "__main__":
    main()
