"""A campaign's report as a table for people."""

from collections import defaultdict
from statistics import median, quantiles

from tests.acceptance.crash.campaign import Report
from tests.acceptance.crash.schedule import APIS, NAMES

WIDTH = 28


def show(report: Report) -> None:
    """Print the table, then what was found."""
    for line in lines(report):
        print(line)  # noqa: T201


def lines(report: Report) -> list[str]:
    """Recovery by kind of kill, in seconds, then the traffic, then the violations."""
    rows = [
        f"{'killed':{WIDTH}} {'kills':>5} {'went on':>8} {'p50 s':>7} {'p95 s':>7} {'max s':>7}"
    ]
    kills: dict[str, int] = defaultdict(int)
    times: dict[str, list[float]] = defaultdict(list)
    for recovery in report.recovered:
        kills[recovery.point] += 1
        times[recovery.point] += recovery.seconds
    # A point that no process passed has its row as well.
    rows += [row(point, kills[point], times[point]) for point in sorted({*NAMES, *kills})]
    of_workers = [p for p in kills if p not in APIS and not p.startswith("postgres")]
    workers = [seconds for point in of_workers for seconds in times[point]]
    rows.append(row("all workers", sum(kills[point] for point in of_workers), workers))
    rows.append(f"tickets {dict(sorted(report.cases.items()))}")
    rows.append(f"answers of the API {dict(sorted(report.statuses.items()))}")
    rows.append(f"notices to the outside {report.notices}")
    rows.append(f"points that no process passed in time {dict(report.missed)}")
    rows.append(f"effects with an unknown outcome, given to people: {report.unknown}")
    rows.append(f"{sum(kills.values())} kills, {sum(report.cases.values())} tickets,"
                f" {report.seconds:.0f} s, violations: {len(report.violations)}")  # fmt: skip
    if report.violations:
        rows += [f"VIOLATION {violation}" for violation in report.violations]
        rows.append(f"again: make crash KILLS={report.kills} SEED={report.seed}")
    return rows


def row(name: str, kills: int, seconds: list[float]) -> str:
    """One line; without a time to tell the columns stay empty."""
    if not seconds:
        return f"{name:{WIDTH}} {kills:5} {0:8}"
    p95 = quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    p50 = median(seconds)
    return f"{name:{WIDTH}} {kills:5} {len(seconds):8} {p50:7.2f} {p95:7.2f} {max(seconds):7.2f}"
