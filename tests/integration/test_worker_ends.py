"""A worker one of whose parts fails for good ends, so that its supervisor starts another."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from app.db.core.connections import Sessions
from app.execution.wiring import Service
from app.worker.main import run_worker

PATIENCE_SECONDS = 60


class DefectiveSessions(Sessions):
    """Every transaction meets a defect of ours, which waiting cannot repair."""

    def begin(self) -> Any:
        """Raises ZeroDivisionError."""
        raise ZeroDivisionError


async def test_worker_with_a_failed_part_stops_and_says_why(service: Service) -> None:
    """It stops as on a signal, with the rest of its process, and the error comes out."""
    stop = asyncio.Event()
    broken = replace(service, sessions=DefectiveSessions())
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(ExceptionGroup) as ended:
            await run_worker(broken, stop)
    assert ended.group_contains(ZeroDivisionError)
    assert stop.is_set()
