"""How soon a cancel, a pause and the death of a worker take effect, with real processes.

Run `python -m tests.bench.stops`; BENCH_JSON names a file that gets one JSON object a line.
"""

import os

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from app.commands.migrate import migrate
from app.db.embedded import embedded_postgres
from tests.acceptance.held_model import HeldModel
from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import Client, Process, Stack, running
from tests.acceptance.waiting import TWICE, query, until
from tests.conftest import Tenant

SAMPLES = 20
ROUNDS, HELD = 4, 15
TAKEN = "SELECT count(*) FROM runs WHERE status = 'running' AND attempt >= %s"


def hold_runs(client: Client, model: HeldModel, count: int, name: str) -> list[str]:
    """Runs that wait inside a model call, each of its own customer."""
    before = len(model.calls)
    runs = [
        client.start(f"{name}-{n}", TWICE, f"{name}-{n}", wait=0)["id"] for n in range(count)
    ]  # fmt: skip
    until(lambda: len(model.calls) >= before + count, 120)
    return runs


def cancelled(client: Client, run_id: str) -> float:
    """Seconds from the call until the run is seen as cancelled."""
    began = time.perf_counter()
    client.http.post(f"/v1/runs/{run_id}/cancel").raise_for_status()
    assert client.run(run_id)["status"] == "cancelled"
    return time.perf_counter() - began


def paused(admin: Client) -> float:
    """Seconds until the switch has answered."""
    began = time.perf_counter()
    admin.http.post("/v1/admin/pause", json={"paused": True}).raise_for_status()
    took = time.perf_counter() - began
    admin.http.post("/v1/admin/pause", json={"paused": False}).raise_for_status()
    return took


def taken_over(stack: Stack, doomed: Process, attempt: int) -> tuple[list[float], Process]:
    """Seconds from SIGKILL until each held run is claimed elsewhere, and who has them now."""
    heir, times = stack.worker(), list[float]()
    url = stack.env["DESKGRAPH_DATABASE_URL"]
    doomed.kill()
    began = time.perf_counter()
    while len(times) < HELD:
        [[count]] = query(url, TAKEN, attempt)
        times += [time.perf_counter() - began] * (count - len(times))
        time.sleep(0.01)
    return times, heir


def measure(stack: Stack, tenant: Tenant, model: HeldModel) -> dict[str, list[float]]:
    """All of them, one after the other."""
    stack.api()
    worker = stack.worker()
    starter, admin = stack.client(tenant.starter), stack.client(tenant.admin)
    model.hold("Classification")
    measured = {
        "cancel_in_model_call": [
            cancelled(starter, hold_runs(starter, model, 1, f"c{n}")[0]) for n in range(SAMPLES)
        ],
        "pause": [paused(admin) for _ in range(SAMPLES)],
        "killed_worker": [],
    }
    hold_runs(starter, model, HELD, "k")
    for round_ in range(ROUNDS):
        times, worker = taken_over(stack, worker, round_ + 2)
        measured["killed_worker"] += times
    return measured


def report(measured: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Median and longest, in milliseconds."""
    return [
        {"bench": "stops", "measured": name, "samples": len(times),
         "p50_ms": round(statistics.median(times) * 1000), "max_ms": round(max(times) * 1000)}
        for name, times in measured.items()
    ]  # fmt: skip


def main() -> None:
    """Measure on an embedded Postgres of its own, print a table, write BENCH_JSON."""
    model = HeldModel()
    with tempfile.TemporaryDirectory() as name, embedded_postgres(Path(name) / "pg") as url:
        migrate(url, lambda _step: None)
        tenant = asyncio.run(tenant_on(url))
        losses = {"DESKGRAPH_MAX_LOSSES": str(ROUNDS + 1), "DESKGRAPH_DRAIN_SECONDS": "1"}
        # A held call must stay held for as long as all of it takes.
        patience = {"DESKGRAPH_MODEL_TIMEOUT_SECONDS": "600", "DESKGRAPH_LOG_LEVEL": "INFO"}
        with running(Stack(url, Path(name), **losses, **patience, **model.env)) as stack:
            lines = report(measure(stack, tenant, model))
    model.close()
    print(f"{'':24} {'samples':>8} {'p50 ms':>8} {'max ms':>8}")  # noqa: T201
    for line in lines:
        cells = f"{line['samples']:>8} {line['p50_ms']:>8} {line['max_ms']:>8}"
        print(f"{line['measured']:24} {cells}")  # noqa: T201
    if target := os.environ.get("BENCH_JSON"):
        with Path(target).open("a") as out:
            out.writelines(json.dumps(line) + "\n" for line in lines)


if __name__ == "__main__":
    main()
