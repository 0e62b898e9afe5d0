"""Where a process may be killed, and the book of events that tells afterwards what happened.

A file with a point's name in the folder arms the point: the first process that comes by takes the
file away and kills whom it names, itself as a rule. The book is one file, appended to by all.
"""

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BOOK = "events.jsonl"
DRAIN = "drain"
# A worker dies while the receiver of a callback has its request, the API while it answers one.
IN_CALLBACK = "in_callback"
IN_REQUEST = "in_request"
# A worker dies before its write reaches a connected system, or before it hears what became of it.
AROUND_POST = ("before_post", "after_post")
AROUND_REFUND = ("before_refund", "after_refund")
# What a process passes on its way through a run, in this order.
POINTS = (
    "after_claim", "resume", "in_model", "before_effect", "after_provider", "after_ledger",
    "before_checkpoint", "after_checkpoint", "before_settle",
)  # fmt: skip


@dataclass(slots=True)
class Hazard:
    """One process's view of the points; `draining` once it was asked to stop."""

    folder: Path
    draining: bool = False

    def reach(self, point: str, victim: int = 0) -> None:
        """Pass a point; if it is armed, this may be the last thing that happens.

        A process that watches another one names it as the `victim`.
        """
        self._fire(point, victim)
        if self.draining:
            self._fire(DRAIN)

    def _fire(self, point: str, victim: int = 0) -> None:
        taken = self.folder / f"{point}.{os.getpid()}"
        try:
            # Of two processes at the same point one gets the file.
            (self.folder / point).rename(taken)
        except FileNotFoundError:
            return
        victim = int(taken.read_text()) or victim
        self.note("kill", point=point, victim=victim)
        os.kill(victim or os.getpid(), signal.SIGKILL)

    def note(self, event: str, **values: Any) -> None:
        """Write an event into the book with the time and this process's id."""
        line = json.dumps({"event": event, "at": time.time(), "pid": os.getpid(), **values})
        book = os.open(self.folder / BOOK, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(book, line.encode() + b"\n")
        finally:
            os.close(book)

    def arm(self, point: str, victim: int = 0) -> None:
        """Kill the process that passes next, or the process `victim`."""
        hidden = self.folder / f".{point}"
        hidden.write_text(str(victim))
        hidden.rename(self.folder / point)

    def is_armed(self, point: str) -> bool:
        """Whether a process is to die there."""
        return (self.folder / point).exists()

    def disarm(self, point: str) -> bool:
        """Take an arm back; False when a process took it meanwhile."""
        try:
            (self.folder / point).unlink()
        except FileNotFoundError:
            return False
        return True

    def written(self) -> int:
        """How long the book is, in bytes."""
        path = self.folder / BOOK
        return path.stat().st_size if path.exists() else 0

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """The book so far, without its first bytes."""
        if not self.written():
            return []
        with (self.folder / BOOK).open() as book:
            book.seek(after)
            return [json.loads(line) for line in book]
