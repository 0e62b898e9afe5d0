"""Sends traces from a thread of its own, so that no run waits while one is written and redacted."""

import queue
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import langsmith

from app.log import get_logger
from app.observability.redaction import Redactor

log = get_logger(__name__)

# Parts of traces that wait at most; above it traces are lost, and runs go on.
MAX_WAITING = 10_000
ERROR_CLASS = re.compile(r"^[\w.]{1,200}")
# For what is said of no execution: only secrets and personal data can be masked.
UNKNOWN = Redactor("redacted")


class TraceSender:
    """The queue and the thread between runs and a LangSmith client. `make` gets the anonymizer."""

    def __init__(self, make: Callable[[Callable[[Any], Any]], langsmith.Client]) -> None:
        self._redactor = UNKNOWN
        self.client = make(self._redact)
        self._waiting: queue.Queue[Callable[[], None]] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._work, name="traces", daemon=True)
        self._thread.start()

    def put(self, redactor: Redactor, call: Callable[[], None]) -> None:
        """Make the call in the thread, with the texts of it redacted; never waits."""

        def redacted() -> None:
            self._redactor = redactor
            call()

        try:
            self._waiting.put_nowait(redacted)
        except queue.Full:
            log.warning("traces_lost", items=1)

    def flush(self, seconds: float) -> int:
        """Send what waits, for at most so many seconds; returns how many items are left."""
        deadline = time.monotonic() + seconds
        with self._waiting.all_tasks_done:
            while self._waiting.unfinished_tasks and (left := deadline - time.monotonic()) > 0:
                self._waiting.all_tasks_done.wait(left)
        self.client.flush(timeout=max(0.0, deadline - time.monotonic()))
        sending = self.client.tracing_queue
        return self._waiting.unfinished_tasks + (sending.unfinished_tasks if sending else 0)

    def _redact(self, data: Any) -> Any:
        """Called by the client, in the thread, for inputs, outputs, metadata and errors."""
        return self._redactor.redact(data)

    def _work(self) -> None:
        while True:
            call = self._waiting.get()
            try:
                call()
            except Exception as error:  # noqa: BLE001  # a trace that fails must not end the others
                log.warning("traces_lost", items=1, error=type(error).__name__)
            finally:
                self._waiting.task_done()


class ExecutionClient:
    """What LangChain's tracer of one execution takes for a LangSmith client."""

    def __init__(self, sender: TraceSender, redactor: Redactor) -> None:
        self._sender = sender
        self._redactor = redactor

    def create_run(self, **run: Any) -> None:
        """Take the start of a run."""
        content = self._prepared(run)
        self._sender.put(self._redactor, lambda: self._sender.client.create_run(**content))

    def update_run(self, **run: Any) -> None:
        """Take the end of a run."""
        content = self._prepared(run)
        self._sender.put(self._redactor, lambda: self._sender.client.update_run(**content))

    def flush(self) -> None:
        """Nothing: the process flushes once, at its end."""

    def _prepared(self, run: dict[str, Any]) -> dict[str, Any]:
        """A copy of what the run may change meanwhile, without what the client does not redact."""
        extra = dict(run.get("extra") or {})
        extra["metadata"] = dict(extra.get("metadata") or {})
        events = [{"name": e.get("name"), "time": e.get("time")} for e in run.get("events") or []]
        prepared = {**run, "extra": extra, "events": events}
        return _without_content(prepared) if self._redactor.content == "none" else prepared


def _without_content(run: dict[str, Any]) -> dict[str, Any]:
    run["inputs"] = {}
    if run.get("outputs") is not None:
        run["outputs"] = {}
    if error := run.get("error"):
        found = ERROR_CLASS.match(error)
        run["error"] = found[0] if found else "error"
    return run
