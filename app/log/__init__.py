"""Logging by structlog: key-value lines for people, or JSON for machines, always on stderr.

No line holds the message of an exception that we did not write: see error_text.py.
"""

import json
import logging
import sys
from contextlib import suppress
from typing import Any

import structlog

from app.log.error_text import describe, render, sqlstate_of, without_messages
from app.log.inert_text import inert_line, inert_text
from app.log.process_output import JsonLines

MAX_VALUE = 2000
# Whose lines are logged at the level of the settings. Those of other libraries are from `WARNING`
# up: at `DEBUG` they write what they send and get.
OWN = ("app", "graphs", "tools", "migrations", "uvicorn")


def configure_logging(level: str, *, as_json: bool) -> None:
    """Send our own and every library's log lines through one format."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        describe_error,
        render_exception,
        make_inert,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = LineHandler(sys.stderr.lines if isinstance(sys.stderr, JsonLines) else sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    least = max(logging.getLevelName(level), logging.WARNING)
    logging.basicConfig(handlers=[handler], level=least, force=True)
    for own in OWN:
        logging.getLogger(own).setLevel(level)
    # A refused fence ends its pipeline with an error of its own, which says nothing new.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    logging.getLogger("psycopg.pool").setLevel(logging.WARNING)


class LineHandler(logging.StreamHandler[Any]):
    """Writes lines; of one that cannot be made it says where it came from, not what it held."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """Say it on the same stream, in either form; a stream that is closed hears nothing more."""
        place = f"{record.module}:{record.lineno}"
        line = {"event": "log_line_failed", "logger": record.name, "place": place}
        with suppress(OSError, ValueError):
            self.stream.write(f"{json.dumps(line)}\n")
            self.flush()


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module. An exception is logged as `error=error`, never as its text."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


def describe_error(_logger: Any, _method: str, line: Any) -> Any:
    """Processor: replace an exception given as `error` by its class, with its `sqlstate`."""
    error = line.get("error")
    if isinstance(error, BaseException):
        line["error"] = describe(error)
        if state := sqlstate_of(error):
            line["sqlstate"] = state
    return line


def make_inert(_logger: Any, _method: str, line: Any) -> Any:
    """Processor: show every text value on one line of bounded length, without escape sequences.

    Only a trace, which `render_exception` wrote, keeps its lines.
    """
    for key, value in line.items():
        if isinstance(value, str):
            trace = key == "exception"
            line[key] = inert_text(value) if trace else inert_line(value, MAX_VALUE)
    return line


def render_exception(_logger: Any, _method: str, line: Any) -> Any:
    """Processor: replace `exc_info` by a trace without messages, also within a library's text."""
    given = line.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else _current(given)
    if error is not None:
        line["event"] = without_messages(str(line["event"]), error)
        line["exception"] = render(error)
    return line


def _current(given: Any) -> BaseException | None:
    found = (given if isinstance(given, tuple) else sys.exc_info())[1] if given else None
    return found if isinstance(found, BaseException) else None
