"""What the end of an execution means for its run, whatever ended it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from app.db.runs.transitions import Ending
from app.db.tables.runs import Run
from app.execution.execute import RETRY_SECONDS, ending_of, pause_seconds
from app.lifecycle import RunStatus
from graphs.llm.errors import ModelAwaitedError
from graphs.suspend import RunPausedError, RunWaitsError
from tools.errors import RunLostError

DONE = Ending(RunStatus.SUCCESS, outcome="answered", tokens=7, cost_usd=Decimal("0.1"))


async def forever() -> Ending:
    """An execution that only a cancel ends."""
    await asyncio.sleep(3600)
    return DONE


async def done() -> Ending:
    """One that came to an end of its own."""
    return DONE


def failing(failure: BaseException) -> Callable[[], Awaitable[Ending]]:
    """One that the failure ended."""

    async def execution() -> Ending:
        raise failure

    return execution


async def ended(execution: Callable[[], Any], *, stopped: bool, cancelled: bool) -> Ending:
    """The ending of an execution that was stopped from outside, or ended by itself."""
    task = asyncio.create_task(execution())
    await asyncio.sleep(0)
    if stopped:
        task.cancel()
    await asyncio.wait([task])
    return ending_of(Run(), task, cancelled=cancelled)


@pytest.mark.parametrize(
    ("stopped", "cancelled", "status"),
    [(True, True, RunStatus.CANCELLED), (True, False, RunStatus.PENDING)],
)
async def test_execution_that_was_stopped(
    stopped: bool, cancelled: bool, status: RunStatus
) -> None:
    """A caller's cancel ends the run; a worker that drains leaves it to another one."""
    assert await ended(forever, stopped=stopped, cancelled=cancelled) == Ending(status)


@pytest.mark.parametrize("cancelled", [True, False])
async def test_cancel_that_comes_too_late_changes_nothing(cancelled: bool) -> None:
    """What was sent was sent: the ending goes on as the execution left it."""
    assert await ended(done, stopped=False, cancelled=cancelled) is DONE


@pytest.mark.parametrize("failure", [RunLostError("x"), ValueError("x"), RunWaitsError("x")])
async def test_failure_of_a_cancelled_run_is_its_cancel(failure: Exception) -> None:
    """However the stop shows inside of it."""
    ending = await ended(failing(failure), stopped=False, cancelled=True)
    assert ending == Ending(RunStatus.CANCELLED)


async def test_lost_attempt_leaves_the_run_to_its_holder() -> None:
    """At once, and without an error."""
    ending = await ended(failing(RunLostError("x")), stopped=False, cancelled=False)
    assert ending == Ending(RunStatus.PENDING)


@pytest.mark.parametrize(
    "failure",
    [
        RunWaitsError("no slot"),
        RunPausedError("paused"),
        psycopg.OperationalError("gone"),
        psycopg.errors.AdminShutdown("stop"),
    ],
)
async def test_what_is_not_there_just_now_is_tried_again_soon(failure: Exception) -> None:
    """The run keeps nothing of it, and is due in a second."""
    before = datetime.now(UTC) + timedelta(seconds=RETRY_SECONDS)
    ending = await ended(failing(failure), stopped=False, cancelled=False)
    assert (ending.status, ending.error) == (RunStatus.PENDING, None)
    assert ending.not_before is not None
    assert before <= ending.not_before <= datetime.now(UTC) + timedelta(seconds=RETRY_SECONDS)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 2), (2, 4), (5, 32), (6, 60), (10_000, 60)])
def test_run_that_waits_for_a_model_waits_longer_each_time(attempt: int, seconds: int) -> None:
    """An outage may last for hours; all else is tried again in a second."""
    run = Run(attempt=attempt)
    assert pause_seconds(run, ModelAwaitedError("no answer")) == seconds
    assert pause_seconds(run, RunPausedError("paused")) == RETRY_SECONDS


@pytest.mark.parametrize(
    ("failure", "kind"),
    [(KeyError("x"), "internal"), (psycopg.errors.UndefinedColumn("x"), "database_refused")],
)
async def test_defect_ends_the_run(failure: Exception, kind: str) -> None:
    """No further attempt is made of what will fail again."""
    ending = await ended(failing(failure), stopped=False, cancelled=False)
    assert (ending.status, (ending.error or {})["type"]) == (RunStatus.ERROR, kind)
    assert (ending.outcome, ending.result, ending.reusable) == (None, None, None)
