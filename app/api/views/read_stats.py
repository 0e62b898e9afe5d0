"""Reads the statistics of a subject: the window that ends now, and the one before it.

The API, the command line and the console show the same figures.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.api import schemas
from app.api.views.stats import Time, all_models, all_nodes
from app.api.views.stats_of_runs import (
    all_approvals,
    answer_figures,
    connection_figures,
    run_figures,
)
from app.db.connections.queries import names_of_connections
from app.db.figures.facts import Subject
from app.db.figures.queries import Figure, read_figures
from app.db.runs.queue_position import waiting_now

WINDOWS: dict[schemas.Window, timedelta] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
Shape = Callable[[list[Figure], Time], Any]


async def node_stats(
    session: AsyncSession, tenant_id: str, window: schemas.Window
) -> schemas.NodeStats:
    """Executions of nodes that began in the window."""
    times, now, before = await _both(session, tenant_id, ("nodes",), window, all_nodes)
    parts = {"total": now[0], "nodes": now[1], "total_before": before[0], "nodes_before": before[1]}
    return schemas.NodeStats(**times, **parts)


async def model_stats(
    session: AsyncSession, tenant_id: str, window: schemas.Window
) -> schemas.ModelStats:
    """Calls of models that began in the window."""
    times, now, before = await _both(session, tenant_id, ("models",), window, all_models)
    return schemas.ModelStats(
        **times, total=now[0], models=now[1], total_before=before[0], models_before=before[1]
    )


async def run_stats(
    session: AsyncSession, tenant_id: str, window: schemas.Window
) -> schemas.RunStats:
    """Runs that finished in the window, and the queue now."""
    times, now, before = await _both(session, tenant_id, ("runs",), window, run_figures)
    waiting, oldest = await waiting_now(session, tenant_id)
    queue = schemas.QueueFigures(waiting=waiting, oldest_seconds=oldest)
    return schemas.RunStats(**times, total=now, total_before=before, queue_now=queue)


async def answer_stats(
    session: AsyncSession, tenant_id: str, window: schemas.Window
) -> schemas.AnswerStats:
    """How the messages ended whose runs finished in the window."""
    times, now, before = await _both(session, tenant_id, ("runs",), window, answer_figures)
    return schemas.AnswerStats(**times, total=now, total_before=before)


async def approval_stats(
    session: AsyncSession, tenant_id: str, window: schemas.Window
) -> schemas.ApprovalStats:
    """Approvals that ended in the window, and decisions that were taken in it."""
    times, now, before = await _both(session, tenant_id, ("approvals",), window, all_approvals)
    return schemas.ApprovalStats(
        **times, total=now[0], kinds=now[1], total_before=before[0], kinds_before=before[1]
    )


async def connection_stats(
    session: AsyncSession, tenant_id: str, window: schemas.Window
) -> schemas.ConnectionStats:
    """What came from connected systems in the window, and what ended that was for them."""
    names = await names_of_connections(session, tenant_id)

    def shape(figures: list[Figure], time: Time) -> list[schemas.ConnectionFigures]:
        return connection_figures(figures, names, time)

    subjects: tuple[Subject, ...] = ("connections", "dead_hooks")
    times, now, before = await _both(session, tenant_id, subjects, window, shape)
    return schemas.ConnectionStats(**times, connections=now, connections_before=before)


READ: dict[str, Callable[[AsyncSession, str, schemas.Window], Awaitable[schemas.Stats]]] = {
    "nodes": node_stats,
    "runs": run_stats,
    "models": model_stats,
    "approvals": approval_stats,
    "answers": answer_stats,
    "connections": connection_stats,
}


async def _both(
    session: AsyncSession,
    tenant_id: str,
    subjects: tuple[Subject, ...],
    window: schemas.Window,
    shape: Shape,
) -> tuple[dict[str, Any], Any, Any]:
    """The times, and what `shape` makes of the figures of the window and of the one before."""
    until = datetime.now(UTC)
    now = Time(until - WINDOWS[window], until)
    before = Time(now.since - WINDOWS[window], now.since)
    figures = [
        [
            figure
            for subject in subjects
            for figure in await read_figures(session, tenant_id, subject, time.since, time.until)
        ]
        for time in (now, before)
    ]
    # In a thread: a million durations take 0.1 s, in which the loop serves others.
    made = await asyncio.to_thread(
        lambda: [shape(rows, time) for rows, time in zip(figures, (now, before), strict=True)]
    )
    times = {
        "window": window,
        "before_since": before.since,
        "since": now.since,
        "until": until,
    }
    return times, made[0], made[1]
