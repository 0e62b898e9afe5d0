"""Turn 200 of one ticket against turn 5: time, state and WAL of a turn, through a real worker.

Run `python -m tests.bench.memory`; BENCH_JSON names a file that gets one JSON object a line.
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

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.migrate import migrate
from app.db.core.embedded import embedded_postgres
from app.execution.wiring import Service, open_service
from app.log import configure_logging
from app.services.runs import start_and_cancel
from app.services.runs.start_and_cancel import NewRun
from app.settings import Settings
from app.worker.main import run_worker
from tests.bench.options import command_line
from tests.conftest import Tenant, make_tenant

# The long ticket's turns before it is measured, and how often each kind of turn is: alternately,
# so that whatever else the machine does slows down both.
FILL, SAMPLES = 195, 9
TARGET = 1.3
ASKS = (
    "My upload fails with error E42. How do I fix it?",
    "It still fails with error E42 after I cleared the cache, what else can I do?",
    "How do I export my data as CSV?",
)
POLL_SECONDS = 0.02
# The sum of what one thread's newest checkpoint points to.
STATE_BYTES = """
    SELECT pg_column_size(c.checkpoint) + coalesce(sum(octet_length(b.blob)), 0)
    FROM checkpoints c
    CROSS JOIN LATERAL jsonb_each_text(c.checkpoint -> 'channel_versions') AS v(channel, version)
    LEFT JOIN checkpoint_blobs b ON b.thread_id = c.thread_id
        AND b.checkpoint_ns = c.checkpoint_ns AND b.channel = v.channel AND b.version = v.version
    WHERE c.thread_id = :thread
    GROUP BY c.checkpoint_id, c.checkpoint ORDER BY c.checkpoint_id DESC LIMIT 1"""


async def turn(service: Service, tenant: Tenant, ticket: str, number: int) -> dict[str, float]:
    """One message until its run is final: milliseconds by the database, and what it took."""
    wanted: dict[str, Any] = {"id": ticket, "subject": "Help", "customer": {"id": f"cus-{ticket}"}}
    new = NewRun({**wanted, "body": f"{ASKS[number % len(ASKS)]} ({number})"}, None, {})
    async with service.sessions() as session:
        before = await wal_position(session)
    started = time.process_time()
    async with service.sessions.begin() as session:
        key_id = tenant.starter.split("_")[1]
        run = await start_and_cancel.start(session, tenant.id, key_id, new)
    while True:
        await asyncio.sleep(POLL_SECONDS)
        async with service.sessions() as session:
            now = await start_and_cancel.get(session, tenant.id, run.id)
        if now.finished_at is not None:
            break
    assert now.status == "success", now.error
    cpu = time.process_time() - started
    async with service.sessions() as session:
        wal = await wal_position(session) - before
        state = await session.scalar(text(STATE_BYTES), {"thread": str(run.thread_id)})
    return {
        "wall_ms": (now.finished_at - now.created_at).total_seconds() * 1000,
        "cpu_ms": cpu * 1000,
        "state_bytes": float(state or 0),
        "wal_bytes": wal,
    }


async def wal_position(session: AsyncSession) -> float:
    """Bytes of WAL that the server has written so far."""
    return float(await session.scalar(text("SELECT pg_current_wal_lsn() - '0/0'")) or 0)


Measured = list[dict[str, float]]


async def measure(settings: Settings) -> tuple[Measured, Measured]:
    """Turns 5 of new tickets, and turns from 196 on of the long one."""
    stop, early, late = asyncio.Event(), [], []
    async with open_service(settings) as service:
        async with service.sessions.begin() as session:
            tenant = await make_tenant(session)
        worker = asyncio.create_task(run_worker(service, stop))
        for number in range(1, FILL + 1):
            await turn(service, tenant, "T-long", number)
        for sample in range(1, SAMPLES + 1):
            fifth = [await turn(service, tenant, f"T-{sample}", number) for number in range(1, 6)]
            early.append(fifth[-1])
            late.append(await turn(service, tenant, "T-long", FILL + sample))
        stop.set()
        await worker
    return early, late


def report(early: Measured, late: Measured) -> list[dict[str, Any]]:
    """The medians of the early and the late turns, and their ratio."""
    lines = []
    for name in early[0]:
        first, last = (statistics.median(turn[name] for turn in part) for part in (early, late))
        ratio = last / first
        lines.append(
            {"bench": "memory", "measured": name, "turn_5": round(first, 1),
             "turn_200": round(last, 1), "ratio": round(ratio, 3), "target": TARGET,
             "ok": ratio <= TARGET}
        )  # fmt: skip
    return lines


def main() -> None:
    """Measure on an embedded Postgres of its own, print a table, write BENCH_JSON."""
    command_line("tests.bench.memory", __doc__).parse_args()
    configure_logging("ERROR", as_json=False)
    with tempfile.TemporaryDirectory() as folder, embedded_postgres(Path(folder) / "pg") as url:
        migrate(url, lambda _step: None)
        settings = Settings(
            _env_file=None, database_url=SecretStr(url), data_dir=Path(folder) / "data"
        )
        lines = report(*asyncio.run(measure(settings)))
    print(f"{'':12} {'turn 5':>12} {'turn 200':>12} {'ratio':>7}")  # noqa: T201
    for line in lines:
        cells = f"{line['turn_5']:>12,} {line['turn_200']:>12,} {line['ratio']:>7}"
        print(f"{line['measured']:12} {cells}")  # noqa: T201
    if target := os.environ.get("BENCH_JSON"):
        with Path(target).open("a") as out:
            out.writelines(json.dumps(line) + "\n" for line in lines)


if __name__ == "__main__":
    main()
