"""What a process writes as errors besides its log lines: the same form, and no values in it.

Libraries print, Python reports what no code caught, and commands say why they cannot start. A
service that was asked for JSON has each of these as a line of JSON as well.
"""

import atexit
import io
import json
import logging
import os
import sys
import threading
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import structlog

from app.log.inert_text import inert_line

VARIABLE = "deskgraph_log_json"
TRUE = frozenset(("1", "on", "t", "true", "y", "yes"))
MAX_PRINTED = 2000


def json_is_asked() -> bool:
    """Whether the log is to be JSON, before the settings are read: they may be wrong."""
    asked = {name.lower(): value for name, value in os.environ.items()}.get(VARIABLE)
    if not asked and Path(".env").is_file():
        from dotenv import dotenv_values  # noqa: PLC0415  # most have no such file

        kept = {name.lower(): value for name, value in dotenv_values(".env").items()}
        asked = kept.get(VARIABLE)
    return (asked or "").lower() in TRUE


def take_over(*, as_json: bool) -> None:
    """Have what the process writes as errors pass through here, until it ends."""
    if as_json and not isinstance(sys.stderr, JsonLines):
        lines = sys.stderr = JsonLines(sys.stderr)
        atexit.register(lines.end)
    warnings.showwarning = _log_warning
    threading.excepthook = _log_thread
    sys.unraisablehook = _log_unraisable


class JsonLines(io.TextIOBase):
    """Standard error as lines of JSON; `lines` takes what is one already."""

    def __init__(self, lines: TextIO) -> None:
        self.lines = lines
        self._begun = ""
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Take a part of a text; each whole line of it becomes one of JSON."""
        with self._lock:
            *whole, self._begun = (self._begun + text).split("\n")
            for line in filter(str.strip, whole):
                self.lines.write(_printed(line))
            self.lines.flush()
        return len(text)

    def end(self) -> None:
        """Write a last line that did not end."""
        if self._begun:
            self.write("\n")

    def flush(self) -> None:
        """Flush what is whole; a begun line waits for its end."""
        self.lines.flush()

    def writable(self) -> bool:
        """It is."""
        return True

    def isatty(self) -> bool:
        """No colours, and no cursor to move."""
        return False

    def fileno(self) -> int:
        """That of the stream, for what must write without Python."""
        return self.lines.fileno()


def _printed(line: str) -> str:
    said = {
        "event": "printed",
        "text": inert_line(line.rstrip("\r"), MAX_PRINTED),
        "level": "warning",
        "timestamp": datetime.now(UTC).isoformat(),
    }
    return f"{json.dumps(said)}\n"


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """By class and place: the text of pydantic's warnings, for one, quotes values."""
    del message, file, line
    place = f"{'/'.join(Path(filename).parts[-3:])}:{lineno}"
    _log("warning", logging.WARNING, kind=category.__name__, place=place)


def _log_thread(failed: threading.ExceptHookArgs) -> None:
    name = failed.thread.name if failed.thread else None
    _log("thread_failed", logging.ERROR, thread=name, exc_info=failed.exc_value)


def _log_unraisable(failed: "sys.UnraisableHookArgs") -> None:
    _log("exception_ignored", logging.ERROR, exc_info=failed.exc_value)


def _log(event: str, level: int, **values: Any) -> None:
    """A line of the log, once it is configured; before that only what happened."""
    if structlog.is_configured():
        structlog.get_logger(__name__).log(level, event, **values)
    else:
        sys.stderr.write(f"{event}\n")
