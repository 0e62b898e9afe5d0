"""Turns LangGraph's task stream into step rows, written in the background, many at a time."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.db.engine import Sessions
from app.db.group_commit import HOLD_SECONDS
from app.db.steps import upsert_steps
from app.observability.usage import UsageHandler

FAILURE_HANDLER = "__error_handler__"


class StepLog:
    """The steps of one execution. `note` never waits; `flush` does, before the run settles."""

    def __init__(
        self, sessions: Sessions, tenant_id: str, run_id: UUID, attempt: int, usage: UsageHandler
    ) -> None:
        self._sessions = sessions
        self._owner = {"tenant_id": tenant_id, "run_id": run_id, "attempt": attempt}
        self._usage = usage
        self._open: dict[str, dict[str, Any]] = {}
        self._unwritten: dict[str, dict[str, Any]] = {}
        self._writer: asyncio.Task[None] | None = None
        self._checkpoint_id: str | None = None
        self._awaited = asyncio.Event()

    def begin_at(self, checkpoint_id: str | None) -> None:
        """Name the checkpoint that a continued execution begins with: the stream does not."""
        self._checkpoint_id = checkpoint_id

    def note(self, mode: str, chunk: Any) -> None:
        """Take one item of `stream_mode=["tasks", "checkpoints"]`."""
        if mode == "checkpoints":
            self._checkpoint_id = chunk["config"]["configurable"]["checkpoint_id"]
        elif "triggers" in chunk:
            self._start(chunk)
        else:
            self._end(chunk)

    def _start(self, task: dict[str, Any]) -> None:
        # The failure handler is no node of ours; what it does shows as the next node's input.
        if task["name"].startswith(FAILURE_HANDLER):
            return
        row = {
            **self._owner,
            "task_id": task["id"],
            "node": task["name"],
            "tries": 1,
            "status": "running",
            "checkpoint_id": self._checkpoint_id,
            "input": task["input"],
            "output": None,
            "error": None,
            "model_calls": [],
            "tokens": 0,
            "cost_usd": 0,
            "started_at": datetime.now(UTC),
            "duration_ms": None,
        }
        self._open[task["id"]] = row
        self._write(row)

    def _end(self, task: dict[str, Any]) -> None:
        row = self._open.pop(task["id"], None)
        if row is None:
            return
        usage = self._usage.of(task["id"])
        error = task.get("error")
        took = datetime.now(UTC) - row["started_at"]
        done = {
            "status": "error" if error else "interrupted" if task["interrupts"] else "success",
            "tries": max(usage.tries, 1),
            "output": task.get("result") or None,
            "error": error and {"type": type(error).__name__, "message": str(error)[:1000]},
            "model_calls": list(usage.calls),
            "tokens": usage.tokens,
            "cost_usd": usage.cost,
            "duration_ms": round(took.total_seconds() * 1000),
        }
        self._write({**row, **done})

    def _write(self, row: dict[str, Any]) -> None:
        self._unwritten[row["task_id"]] = row
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        """Write until nothing is left; what arrives during a write goes with the next one."""
        while self._unwritten:
            # Short steps come together, and their ends with their beginnings.
            with suppress(TimeoutError):
                async with asyncio.timeout(HOLD_SECONDS):
                    await self._awaited.wait()
            rows, self._unwritten = list(self._unwritten.values()), {}
            try:
                async with self._sessions.begin() as session:
                    await upsert_steps(session, rows)
            except Exception:
                newer, self._unwritten = self._unwritten, {row["task_id"]: row for row in rows}
                self._unwritten.update(newer)
                raise

    async def flush(self, *, ended: bool) -> None:
        """Wait until every step is written.

        A graph that `ended` left no step undone: LangGraph does not tell the end of a step that an
        attempt before this one did, and whose writes it kept.
        """
        for row in self._open.values() if ended else ():
            self._write({**row, "status": "success"})
        self._awaited.set()
        if self._writer is not None:
            await self._writer
