"""Sends what executions noted from a thread of its own, a batch at a time.

Nothing wakes the thread for a run: it looks twice a second. So most runs are sent once, with their
beginning and their end, and an event loop never hands the interpreter over for one of them.
"""

import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

from app.log import get_logger
from app.observability.metrics import TRACES_LOST
from app.observability.redaction import forget_texts
from app.observability.trace_run import Execution, TracedRun, TraceFeedback
from app.observability.trace_text import TraceText

log = get_logger(__name__)

T = TypeVar("T")
# The sender to an OpenTelemetry collector.
SPANS = "otel"
LOOK_SECONDS = 0.5
# What takes longer is shown while it goes on.
SHOWN_AFTER_SECONDS = 1.0
# Parts of traces that wait at most; above it traces are lost, and runs go on.
MAX_WAITING = 10_000
# Executions whose texts are kept for what is still to come, and runs whose end has not come: those
# of executions that were stopped hard are let go, oldest first.
MAX_KEPT = 2_000
# Runs of one request.
BATCH = 500
# After a request that did not arrive, so long what waits is neither masked and written nor sent.
AWAY_SECONDS = 5.0
# So long a text that was masked may stay in memory.
REMEMBERED_SECONDS = 600
ERROR_CLASS = re.compile(r"^[\w.]{1,200}")
STOPPED = "Stopped: the execution ended before this did."


class Begun(NamedTuple):
    """A run that may go on for long."""

    run: TracedRun


class Ended(NamedTuple):
    """A run that is whole."""

    run: TracedRun


Item = Begun | Ended | TraceFeedback


class TraceClient(Protocol):
    """Where a sender's traces go. `lost` says why it gave the last item up that did not arrive.

    `away`: its last request did not arrive.
    """

    lost: str | None
    away: bool

    def send(self, items: list["Sent"]) -> None:
        """Send the runs, or give them up with `note_lost`; it may take many seconds."""


class Sent:
    """A run as a client gets it: `is_new` unless its beginning was sent before."""

    __slots__ = ("feedback", "is_new", "run", "text")

    def __init__(
        self, run: TracedRun, text: TraceText, feedback: TraceFeedback | None = None,
        *, is_new: bool = True,
    ) -> None:  # fmt: skip
        self.run, self.text, self.feedback, self.is_new = run, text, feedback, is_new

    @property
    def error(self) -> bytes | None:
        """The run's failure as JSON; of what no content may leave the class alone."""
        said = self.run.error
        if said is not None and self.text.content == "none":
            found = ERROR_CLASS.match(said)
            said = found[0] if found else "error"
        return None if said is None else self.text.error(said)


class TraceSender:
    """The waiting items and the thread between runs and a client; `name` is said of lost ones."""

    def __init__(self, name: str, client: TraceClient) -> None:
        self.name, self.client = name, client
        self._waiting: deque[Item | threading.Event] = deque()
        self._texts: OrderedDict[Execution, TraceText] = OrderedDict()
        # Begun and not ended, by id, with whether the beginning was sent.
        self._open: OrderedDict[UUID, tuple[TracedRun, bool]] = OrderedDict()
        # Roots that ended, whose last parts may still come.
        self._over: list[TracedRun] = []
        # For which there was no room; said by the thread, since there may be thousands.
        self._dropped = 0
        # When to try again a client that is away, by the monotonic clock; a flush does not wait.
        self._again_at = 0.0
        self._flushing = False
        self._look = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"traces-{name}", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Have it sent; never waits."""
        if len(self._waiting) >= MAX_WAITING:
            self._dropped += 1
        else:
            self._waiting.append(item)

    def flush(self, seconds: float) -> int:
        """Send what waits, for at most so many seconds; returns how many items are left.

        One try is made of a client that is away; what it does not take is lost.
        """
        done = threading.Event()
        self._waiting.append(done)
        self._again_at, self._flushing = 0.0, True
        self._look.set()
        return 0 if done.wait(seconds) else max(1, len(self._waiting) - 1)

    def _work(self) -> None:
        forgot = time.monotonic()
        while True:
            self._look.wait(LOOK_SECONDS)
            self._look.clear()
            if time.monotonic() - forgot > REMEMBERED_SECONDS:
                forget_texts()
                forgot = time.monotonic()
            try:
                self._send_waiting()
            except Exception as error:  # noqa: BLE001  # a trace that fails must not end the others
                note_lost(self.name, items=1, error=type(error).__name__)

    def _send_waiting(self) -> None:
        if dropped := self._dropped:
            self._dropped -= dropped
            note_lost(self.name, items=dropped)
        while time.monotonic() >= self._again_at:
            taken, flushed = self._take()
            try:
                self._send(list(self._items(taken, show_all=flushed is not None)))
                if flushed is not None:
                    # What the last roots left open.
                    self._send(list(self._items([], show_all=True)))
            finally:
                if flushed is not None:
                    self._flushing = False
                    flushed.set()
            if not self._waiting:
                return
        if self._flushing:
            self._give_up()

    def _give_up(self) -> None:
        """Let go of what waits: who flushes does not wait for a client that is away."""
        self._flushing = False
        while self._waiting:
            taken, flushed = self._take()
            if taken:
                note_lost(self.name, items=len(taken))
            if flushed is not None:
                flushed.set()

    def _send(self, items: list[Sent]) -> None:
        items = [item for item, _ in made(self.name, items, _learn)]
        if items:
            self.client.send(items)
            self._again_at = time.monotonic() + AWAY_SECONDS if self.client.away else 0.0
        while len(self._texts) > MAX_KEPT:
            self._texts.popitem(last=False)
        while len(self._open) > MAX_KEPT:
            self._open.popitem(last=False)

    def _take(self) -> tuple[list[Item], threading.Event | None]:
        """The next batch, which a flush ends."""
        taken: list[Item] = []
        while self._waiting and len(taken) < BATCH:
            item = self._waiting.popleft()
            if isinstance(item, threading.Event):
                return taken, item
            taken.append(item)
        return taken, None

    def _items(self, taken: list[Item], *, show_all: bool) -> Iterator[Sent]:
        over, self._over = self._over, []
        for root in over:
            taken += [Ended(run) for run in _stopped(root)]
        for item in taken:
            match item:
                case Begun(run) if run.end is None:
                    self._open[run.id] = (run, False)
                case Ended(run):
                    _, shown = self._open.pop(run.id, (run, False))
                    yield Sent(run, self._text_of(run.execution), is_new=not (shown or run.again))
                    if run.parent is None:
                        self._over.append(run)
        yield from self._long_ones(show_all=show_all)
        for item in taken:
            if isinstance(item, TraceFeedback):
                yield Sent(item.root, self._text_of(item.root.execution), item)
        for root in over:
            self._texts.pop(root.execution, None)

    def _long_ones(self, *, show_all: bool) -> Iterator[Sent]:
        """The beginnings of what goes on; parents come before their children."""
        now = datetime.now(UTC)
        for run, shown in list(self._open.values()):
            age = (now - run.start).total_seconds()
            if not shown and (show_all or age >= SHOWN_AFTER_SECONDS):
                self._open[run.id] = (run, True)
                yield Sent(run, self._text_of(run.execution), is_new=not run.again)

    def _text_of(self, execution: Execution) -> TraceText:
        if execution not in self._texts:
            self._texts[execution] = TraceText(execution.content, execution.names)
        return self._texts[execution]


def _stopped(root: TracedRun) -> list[TracedRun]:
    """What an execution that is over left open, as a model call that a timeout gave up."""
    open_runs = list(root.execution.open.values())
    left = [run for run in open_runs if run.root is root and not run.hidden]
    for run in left:
        if run.end is None:
            run.error, run.end = STOPPED, datetime.now(UTC)
    return left


def _learn(item: Sent) -> None:
    item.text.learn(item.run.inputs)
    item.text.learn(item.run.outputs)


def made(name: str, items: list[Sent], make: Callable[[Sent], T]) -> Iterator[tuple[Sent, T]]:
    """What is made of each item; one of which nothing can be made is lost, and no other."""
    for item in items:
        try:
            result = make(item)
        except Exception as error:  # noqa: BLE001  # objects of any kind are asked what they hold
            note_lost(name, items=1, error=type(error).__name__)
        else:
            yield item, result


def note_lost(name: str, **said: object) -> None:
    """Count and log that traces did not reach where they go."""
    TRACES_LOST.labels(name).inc()
    log.warning("traces_lost", exporter=name, **said)
