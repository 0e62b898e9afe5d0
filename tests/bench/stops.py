"""How soon a cancel inside a model call and a pause take effect, with real processes.

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
from app.db.core.embedded import embedded_postgres
from tests.acceptance.held_model import HeldModel
from tests.acceptance.own_database import tenant_on
from tests.acceptance.stack import Client, Stack, running
from tests.acceptance.waiting import TWICE, until
from tests.bench.options import command_line
from tests.conftest import Tenant

SAMPLES = 20


def held_run(client: Client, model: HeldModel, number: int) -> str:
    """A run that waits inside a model call."""
    before = len(model.calls)
    run = client.start(f"c-{number}", TWICE, f"T-{number}", wait=0)
    until(lambda: len(model.calls) > before, 60)
    return str(run["id"])


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


def measure(stack: Stack, tenant: Tenant, model: HeldModel) -> dict[str, list[float]]:
    """All of them, one after the other."""
    stack.api()
    stack.worker()
    starter, admin = stack.client(tenant.starter), stack.client(tenant.admin)
    model.hold("Classification")
    return {
        "cancel_in_model_call": [
            cancelled(starter, held_run(starter, model, number)) for number in range(SAMPLES)
        ],
        "pause": [paused(admin) for _ in range(SAMPLES)],
    }


def report(measured: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Median and longest, in milliseconds."""
    return [
        {"bench": "stops", "measured": name, "samples": len(times),
         "p50_ms": round(statistics.median(times) * 1000), "max_ms": round(max(times) * 1000)}
        for name, times in measured.items()
    ]  # fmt: skip


def main() -> None:
    """Measure on an embedded Postgres of its own, print a table, write BENCH_JSON."""
    command_line("tests.bench.stops", __doc__).parse_args()
    model = HeldModel()
    with tempfile.TemporaryDirectory() as name, embedded_postgres(Path(name) / "pg") as url:
        migrate(url, lambda _step: None)
        tenant = asyncio.run(tenant_on(url))
        with running(Stack(url, Path(name), **model.env)) as stack:
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
