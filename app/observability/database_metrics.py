"""Figures that Prometheus reads from the database: the same on each process, of all tenants."""

import asyncio
import time
from math import nan
from typing import get_args

from prometheus_client import Gauge, generate_latest

from app.db.core.availability import DATABASE_ERRORS
from app.db.core.connections import Sessions
from app.db.runs.backlog import read_backlog
from app.db.runs.queries import ignored_last_hour
from app.db.tenants.triage_models import count_dropped
from app.log import get_logger
from graphs.text.noise import Ignored

log = get_logger(__name__)

# Several scrapers, or an impatient one, cost the database no more than one.
CACHE_SECONDS = 5.0
# Prometheus gives up after ten seconds, and then has none of the other figures either.
READ_SECONDS = 5.0

IGNORED = Gauge(
    "deskgraph_runs_ignored_last_hour",
    "Runs of the last hour that were ignored, over all tenants.",
    ["reason"],
)
DROPPED = Gauge(
    "deskgraph_trained_triage_dropped",
    "Tenants whose trained triage is right less often than it was measured to be.",
)
DUE = Gauge("deskgraph_queue_depth", "Runs that are due and that no worker has taken.")
OLDEST_DUE = Gauge("deskgraph_queue_oldest_seconds", "How long the oldest of them has been due.")
APPROVALS = Gauge("deskgraph_runs_waiting_approval", "Runs that wait for a person's decision.")
OLDEST_APPROVAL = Gauge(
    "deskgraph_approval_oldest_seconds", "How long the oldest of them has waited."
)


class DatabaseMetrics:
    """Reads the figures at a scrape, unless they were read a moment ago."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._turn = asyncio.Lock()
        self._read_at = -CACHE_SECONDS

    async def exposition(self) -> bytes:
        """All metrics of the process in Prometheus' text format 0.0.4."""
        async with self._turn:
            if time.monotonic() - self._read_at >= CACHE_SECONDS:
                await self._read()
                self._read_at = time.monotonic()
        return generate_latest()

    async def _read(self) -> None:
        """Set the gauges; while the database does not answer they show nothing."""
        try:
            async with asyncio.timeout(READ_SECONDS), self._sessions() as session:
                counts = await ignored_last_hour(session)
                dropped = await count_dropped(session)
                backlog = await read_backlog(session)
        except (TimeoutError, *DATABASE_ERRORS) as error:
            log.warning("database_unavailable", part="metrics", error=error)
            IGNORED.clear()
            for gauge in (DROPPED, DUE, OLDEST_DUE, APPROVALS, OLDEST_APPROVAL):
                gauge.set(nan)
            return
        for reason in get_args(Ignored):
            IGNORED.labels(reason).set(counts.get(reason, 0))
        DROPPED.set(dropped)
        for gauge, value in zip(
            (DUE, OLDEST_DUE, APPROVALS, OLDEST_APPROVAL), backlog, strict=True
        ):
            gauge.set(value)
