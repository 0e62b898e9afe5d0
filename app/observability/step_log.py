"""Turns LangGraph's task stream into step rows, written in the background with its checkpoints."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from langgraph.errors import NodeTimeoutError

from app.db.checkpoints.fence import FENCE, refusing_late_writes
from app.db.checkpoints.group_commit import Done, GroupCommit, Rows
from app.db.runs.steps import UPSERT_STEPS, step_row
from app.log.error_text import place_of, public_message
from app.observability import metrics
from app.observability.masks import without_personal_data, without_secrets
from app.observability.trace_run import node_run_id
from app.observability.usage import UsageHandler

FAILURE_HANDLER = "__error_handler__"
# Far longer than a commit takes, far shorter than anybody waits for a cancel.
DECIDED_SECONDS = 0.5


class StepLog:
    """The steps of one execution. `note` never waits; `flush` does, before the run settles.

    `root` is that of its trace, if it has one.
    """

    def __init__(
        self,
        commits: GroupCommit,
        tenant_id: str,
        run_id: UUID,
        attempt: int,
        usage: UsageHandler,
        *,
        root: UUID | None = None,
    ) -> None:
        self._commits = commits
        # Rows that are late, as after an outage, are refused: their steps would stay open.
        self._holder = (str(run_id), attempt)
        self._owner = {"tenant_id": tenant_id, "run_id": run_id, "attempt": attempt}
        self._usage = usage
        self._root = root
        self._open: dict[str, dict[str, Any]] = {}
        self._unwritten: list[Done] = []
        self._checkpoint_id: str | None = None
        # What the rows so far add up to, and what the steps since the last checkpoint wrote.
        self._state: dict[str, Any] = {}
        self._written: dict[str, Any] = {}

    def begin_at(self, checkpoint_id: str | None) -> None:
        """Name the checkpoint that a continued execution begins with: the stream does not."""
        self._checkpoint_id = checkpoint_id

    def note(self, mode: str, chunk: Any) -> None:
        """Take one item of `stream_mode=["tasks", "checkpoints"]`."""
        if mode == "checkpoints":
            self._checkpoint_id = chunk["config"]["configurable"]["checkpoint_id"]
            self._state, self._written = {**self._state, **self._written}, {}
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
            "input": self._news(task["input"]),
            "output": None,
            "error": None,
            "tokens": 0,
            "cost_usd": 0,
            "started_at": datetime.now(UTC),
            "duration_ms": None,
            "trace_run_id": self._in_trace(task["id"], 1),
        }
        self._open[task["id"]] = row
        self._write(row)

    def _news(self, state: dict[str, Any]) -> dict[str, Any]:
        """What the rows of the steps before do not have: `steps_of_run` adds up the rest.

        The whole state with each step would be most of what a run writes.
        """
        before, self._state = self._state, state
        return {
            name: new for name, new in state.items() if name not in before or before[name] != new
        }

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
            "output": (output := task.get("result") or None),
            "error": error and _shown(error, task["name"]),
            "tokens": usage.tokens,
            "cost_usd": usage.cost,
            "duration_ms": round(took.total_seconds() * 1000),
            "trace_run_id": self._in_trace(task["id"], max(usage.tries, 1)),
        }
        self._written |= output or {}
        seconds = took.total_seconds()
        metrics.step_ended(row["node"], str(done["status"]), seconds, usage.tries, error)
        self._write({**row, **done})

    def try_again(self, task_id: str, number: int) -> None:
        """Note another try of a step that goes on, so that who recovers the run finds it."""
        if row := self._open.get(task_id):
            row |= {"tries": number, "trace_run_id": self._in_trace(task_id, number)}
            self._write(row)

    def _in_trace(self, task_id: str, number: int) -> UUID | None:
        return self._root and node_run_id(self._root, task_id, number)

    def _write(self, row: dict[str, Any]) -> None:
        self._unwritten = [done for done in self._unwritten if not done.done() or done.exception()]
        rows: Rows = {FENCE: [self._holder], UPSERT_STEPS: [step_row(row)]}
        self._unwritten.append(self._commits.join(rows))

    async def flush(self, *, ended: bool) -> None:
        """Wait until every step is written.

        A graph that `ended` left no step undone: LangGraph reports no end of a step that an
        attempt before this one did, and whose writes it kept. Raises RunLostError.
        """
        for row in self._open.values() if ended else ():
            self._write({**row, "status": "success"})
        self._commits.hurry()
        with refusing_late_writes(self._holder):
            await asyncio.gather(*self._unwritten)

    async def decided(self) -> None:
        """Wait until each row is written or will never be: none may come after the run's end, which
        says of open steps that they were stopped."""
        self._commits.hurry()
        if self._unwritten:
            await asyncio.wait(self._unwritten, timeout=DECIDED_SECONDS)


def _shown(error: BaseException, node: str) -> dict[str, str]:
    """The class of a failure, what a caller may read of it, and the line of ours that raised it."""
    return {
        "type": _kind(error),
        "message": without_secrets(without_personal_data(_message(error))),
        "place": place_of(error) or node,
    }


def _message(error: BaseException) -> str:
    """What a caller reads; LangGraph's own words name only the node and its limit."""
    return str(error) if isinstance(error, NodeTimeoutError) else public_message(error)


def _kind(error: BaseException) -> str:
    """The name of a failure; a node's time limit has that of a run's."""
    return "timeout" if isinstance(error, NodeTimeoutError) else type(error).__name__
