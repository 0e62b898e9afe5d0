"""Sends traces from a thread of its own, so that no run waits while one is written and redacted."""

import queue
import re
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from app.log import get_logger
from app.observability.metrics import TRACES_LOST
from app.observability.redaction import Redactor
from graphs.policy import TraceContent

log = get_logger(__name__)

# Parts of traces that wait at most; above it traces are lost, and runs go on.
MAX_WAITING = 10_000
ERROR_CLASS = re.compile(r"^[\w.]{1,200}")
# For what is said of no execution: only secrets and personal data can be masked.
UNKNOWN = Redactor("redacted")

Redact = Callable[[Any], Any]


class TraceClient(Protocol):
    """Where a sender's traces go. It redacts with what it was made with.

    `lost` says why it gave the last item up that did not arrive.
    """

    lost: str | None

    def create_run(self, **run: Any) -> None:
        """Take the start of a run of LangChain's."""

    def update_run(self, **run: Any) -> None:
        """Take its end."""

    def flush(self, seconds: float) -> int:
        """Send what waits, for at most so many seconds; returns how many items are left."""


class TraceSender:
    """The queue and the thread between runs and a client. `make` gets what redacts; `name` is said
    of traces that are lost."""

    def __init__(self, name: str, make: Callable[[Redact], TraceClient]) -> None:
        self.name = name
        self._redactor = UNKNOWN
        self.client = make(self._redact)
        self._waiting: queue.Queue[Callable[[], None]] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._work, name=f"traces-{name}", daemon=True)
        self._thread.start()

    def put(self, redactor: Redactor, call: Callable[[], None]) -> None:
        """Make the call in the thread, with the texts of it redacted; never waits."""

        def redacted() -> None:
            self._redactor = redactor
            call()

        try:
            self._waiting.put_nowait(redacted)
        except queue.Full:
            note_lost(self.name, items=1)

    def flush(self, seconds: float) -> int:
        """Send what waits, for at most so many seconds; returns how many items are left."""
        deadline = time.monotonic() + seconds
        with self._waiting.all_tasks_done:
            while self._waiting.unfinished_tasks and (left := deadline - time.monotonic()) > 0:
                self._waiting.all_tasks_done.wait(left)
        unsent = self.client.flush(max(0.0, deadline - time.monotonic()))
        return self._waiting.unfinished_tasks + unsent

    def _redact(self, data: Any) -> Any:
        """Called by the client, in the thread, for inputs, outputs, metadata and errors."""
        return self._redactor.redact(data)

    def _work(self) -> None:
        while True:
            call = self._waiting.get()
            try:
                call()
            except Exception as error:  # noqa: BLE001  # a trace that fails must not end the others
                note_lost(self.name, items=1, error=type(error).__name__)
            finally:
                self._waiting.task_done()


class ExecutionClient:
    """What LangChain's tracer of one execution takes for a LangSmith client."""

    def __init__(
        self, senders: Iterable[TraceSender], content: TraceContent, names: Iterable[str] = ()
    ) -> None:
        self._content = content
        # A redactor keeps what it masked, and each sender has a thread of its own.
        self._senders = [(sender, Redactor(content, [*names])) for sender in senders]

    def create_run(self, **run: Any) -> None:
        """Take the start of a run."""
        for sender, redactor in self._senders:
            self._put(sender, redactor, sender.client.create_run, run)

    def update_run(self, **run: Any) -> None:
        """Take the end of a run."""
        for sender, redactor in self._senders:
            self._put(sender, redactor, sender.client.update_run, run)

    def flush(self) -> None:
        """Nothing: the process flushes once, at its end."""

    def _put(
        self, sender: TraceSender, redactor: Redactor, call: Callable[..., None], run: Any
    ) -> None:
        content = self._prepared(run)
        sender.put(redactor, lambda: call(**content))

    def _prepared(self, run: dict[str, Any]) -> dict[str, Any]:
        """A copy of what the run may change meanwhile, without what the client does not redact."""
        extra = dict(run.get("extra") or {})
        extra["metadata"] = dict(extra.get("metadata") or {})
        events = [{"name": e.get("name"), "time": e.get("time")} for e in run.get("events") or []]
        prepared = {**run, "extra": extra, "events": events}
        return _without_content(prepared) if self._content == "none" else prepared


def note_lost(name: str, **said: Any) -> None:
    """Count and log that traces did not reach where they go."""
    TRACES_LOST.labels(name).inc()
    log.warning("traces_lost", exporter=name, **said)


def _without_content(run: dict[str, Any]) -> dict[str, Any]:
    run["inputs"] = {}
    if run.get("outputs") is not None:
        run["outputs"] = {}
    if error := run.get("error"):
        found = ERROR_CLASS.match(error)
        run["error"] = found[0] if found else "error"
    return run
