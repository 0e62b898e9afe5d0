"""What a run costs as a multiple of the stock handler's, both measured in turn, pair by pair.

`python -m tests.bench.pairs support [--pairs 5] [--calls 100]`: one API and one worker of ours and
the stock handler are up at once, and take turns at calls from 16 callers. CPU is user and system
time of the side's processes and of Postgres. The machine varies from minute to minute, and what it
does to one half of a pair it mostly does to the other: so only ratios within a pair are compared.
"""

import asyncio
import tempfile
from argparse import Namespace
from pathlib import Path
from statistics import median
from typing import NamedTuple

from app.commands.migrate import migrate
from app.db.core.embedded import embedded_postgres
from tests.bench.load import Load, closed_loop
from tests.bench.options import command_line, positive
from tests.bench.throughput import Bench, Job, Row, question_to_reply, start_to_final

CALLERS = 16
WARM_UP = 60
# From fewer no conclusion is drawn: two that agree by chance are common.
FEWEST_PAIRS = 3
JOBS: dict[str, Job] = {"support": question_to_reply, "reference": start_to_final}


class Pair(NamedTuple):
    """The same number of calls on both sides, one right after the other."""

    stock: Row
    ours: Row

    @property
    def cpu_ratio(self) -> float:
        """CPU of one of our runs, in units of a stock one."""
        return self.ours.cpu_ms_per_run / self.stock.cpu_ms_per_run

    @property
    def speed_ratio(self) -> float:
        """Our runs a second, in units of the stock handler's."""
        return self.ours.runs_per_s / self.stock.runs_per_s


def measured(bench: Bench, graph: str, pairs: int, calls: int) -> list[Pair]:
    """The pairs, each side first in every other one."""
    key = bench.tenant().starter
    with bench.stock() as stock, bench.service(graph, 1) as ours:
        sides = {"stock": (stock, start_to_final), graph: (ours, JOBS[graph])}

        def turn(side: str, calls: int) -> Row:
            (port, pids), job = sides[side]

            def load() -> Load:
                return asyncio.run(closed_loop(port, key, CALLERS, calls, job))

            return bench.measure(side, CALLERS, int(side != "stock"), pids, load)

        for side in sides:
            turn(side, WARM_UP)
        found = []
        for number in range(pairs):
            order = list(sides)[:: -1 if number % 2 else 1]
            rows = {side: turn(side, calls) for side in order}
            found.append(Pair(rows["stock"], rows[graph]))
        return found


def report(pairs: list[Pair]) -> str:
    """One line a pair, then what they say together."""
    lines = [" stock ms   ours ms    python  postgres  WAL kB  CPU, x stock  runs/s, x stock"]
    lines += [
        f"{pair.stock.cpu_ms_per_run:9.1f} {pair.ours.cpu_ms_per_run:9.1f} "
        f"{pair.ours.cpu_python_ms:9.1f} {pair.ours.cpu_postgres_ms:9.1f} "
        f"{pair.ours.wal_kb_per_run:7.0f} {pair.cpu_ratio:13.2f} {pair.speed_ratio:16.2f}"
        for pair in pairs
    ]
    return "\n".join([*lines, conclusion(pairs)])


def conclusion(pairs: list[Pair]) -> str:
    """The median of the ratios with their spread; none from too few pairs."""
    if len(pairs) < FEWEST_PAIRS:
        return f"{len(pairs)} pairs say nothing: at least {FEWEST_PAIRS} are needed."
    said = []
    for name, ratios in (
        ("CPU", [pair.cpu_ratio for pair in pairs]),
        ("runs/s", [pair.speed_ratio for pair in pairs]),
    ):
        said.append(f"{name} {median(ratios):.2f} x stock ({min(ratios):.2f} to {max(ratios):.2f})")
    return f"{len(pairs)} pairs: {', '.join(said)}"


def options() -> Namespace:
    """The graph, and how much is measured."""
    parser = command_line("tests.bench.pairs", __doc__)
    parser.add_argument("graph", choices=tuple(JOBS))
    parser.add_argument("--pairs", type=positive, default=5)
    parser.add_argument("--calls", type=positive, default=100, help="calls of each half of a pair")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    asked = options()
    with (
        tempfile.TemporaryDirectory(prefix="deskgraph-bench-") as folder,
        embedded_postgres(Path(folder)) as url,
    ):
        migrate(url, lambda _step: None)
        pairs = measured(Bench(url), asked.graph, asked.pairs, asked.calls)
        print(report(pairs))  # noqa: T201  # its purpose


if __name__ == "__main__":
    main()
