"""What leaves about an exception says what kind it is and where, never what it was about."""

import ast
import asyncio
import gc
import json
import logging
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import psycopg
import pytest
import structlog
from procrastinate.exceptions import ConnectorException, UniqueViolation
from psycopg import errors
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as EngineTimeout

from app.db.core.availability import DATABASE_ERRORS, DEFECT_SECONDS, is_unavailable, wait_out
from app.db.core.connections import make_engine
from app.log import MAX_VALUE, configure_logging, get_logger
from app.log.error_text import describe, public_message, render, sqlstate_of
from tools.errors import RefusedError

ROOT = Path(__file__).parents[2]
WORD = "quuxplugh"


class Number(BaseModel):
    """Refuses a text, and quotes it."""

    value: int


@pytest.fixture
def logged() -> Callable[[], str]:
    """What was logged, with logging as a process has it until the test ends."""
    root, written = logging.getLogger(), StringIO()
    # Configuring closes those that it finds, and these are pytest's.
    root.handlers.clear()
    configure_logging("INFO", as_json=True)
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    return written.getvalue


def refused() -> Exception:
    """A statement's error as SQLAlchemy raises it, with the word in all that it quotes."""
    orig = errors.InvalidTextRepresentation(f'invalid input syntax for type uuid: "{WORD}"')
    return DBAPIError(f"SELECT '{WORD}'", {"a": WORD}, orig)


def quoting() -> list[Exception]:
    """Exceptions of others that quote the word."""
    wrapped = ConnectorException()
    wrapped.__cause__ = errors.CheckViolation(f"Failing row contains ({WORD})")
    with pytest.raises(ValidationError) as wrong:
        Number.model_validate({"value": WORD})
    return [
        refused(),
        wrapped,
        wrong.value,
        ValueError(WORD),
        ExceptionGroup(WORD, [refused()]),
        StatementError(WORD, f"SELECT '{WORD}'", {"a": WORD}, ValueError(WORD)),
    ]


@pytest.mark.parametrize("error", quoting(), ids=lambda error: type(error).__name__)
def test_message_of_another_s_exception_is_not_shown(error: Exception) -> None:
    """Neither as a value of a log line, nor in a trace, nor to the caller of the run."""
    for shown in (describe(error), render(error), public_message(error)):
        assert WORD not in shown
        assert shown


def test_message_of_our_own_exception_is_shown() -> None:
    """We wrote it, so it says what to do and quotes no customer."""
    assert describe(RefusedError("the provider said no")) == "RefusedError: the provider said no"
    assert public_message(RefusedError("the provider said no")) == "the provider said no"


def test_trace_names_each_cause_with_its_sqlstate_and_our_lines() -> None:
    """Innermost first, so that a reader begins with what went wrong."""
    try:
        try:
            raise refused()
        except DBAPIError as error:
            raise RefusedError("no") from error
    except RefusedError as error:
        trace = render(error)
    assert trace.splitlines()[0] == "InvalidTextRepresentation (SQLSTATE 22P02)"
    assert "RefusedError: no" in trace
    assert "test_error_text" in trace


def fail_with(error: Exception) -> None:
    """Raise the error."""
    raise error


def test_no_log_line_quotes_an_exception(logged: Callable[[], str]) -> None:
    """Ours and a library's, with the exception as value, as trace or within the text."""
    log, library = get_logger("ours"), logging.getLogger("library")
    for error in quoting():
        log.warning("failed", error=error)
        log.error("failed", exc_info=error)
        library.error("task failed: %r", error, exc_info=error)
        library.warning(f"Retrying after {error}", exc_info=error)
        try:
            fail_with(error)
        except Exception:
            log.exception("failed")
    shown = logged()
    assert WORD not in shown
    assert shown.count('"exception"') == 4 * len(quoting())
    assert '"sqlstate": "22P02"' in shown


async def test_forgotten_task_is_logged_without_its_error_s_text(
    logged: Callable[[], str],
) -> None:
    """asyncio writes the exception into its line when no one asked a task how it ended."""

    async def fail() -> None:
        raise refused()

    asyncio.get_running_loop().create_task(fail())
    await asyncio.sleep(0.01)
    gc.collect()
    shown = logged()
    assert "never retrieved" in shown
    assert WORD not in shown


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("the connection is lost"),
        psycopg.InterfaceError("the connection is closed"),
        errors.AdminShutdown("terminating connection"),
        errors.TooManyConnections("too many clients"),
        errors.DeadlockDetected("deadlock"),
        errors.IdleInTransactionSessionTimeout("terminating connection"),
        errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction"),
        errors.CannotConnectNow("the database system is starting up"),
        errors.DiskFull("could not extend file"),
        EngineTimeout("no connection in time"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_lost_connection_is_unavailable_in_any_wrapper(error: Exception) -> None:
    """By psycopg itself, by SQLAlchemy and by the queue."""
    wrapped = ConnectorException()
    wrapped.__cause__ = error
    for seen in (error, DBAPIError("SELECT 1", {}, error), wrapped):
        assert isinstance(seen, DATABASE_ERRORS)
        assert is_unavailable(seen)


@pytest.mark.parametrize(
    "error",
    [
        errors.UndefinedColumn("no such column"),
        errors.SyntaxError("near SELECT"),
        errors.UniqueViolation("there already"),
        errors.StringDataRightTruncation("too long"),
        errors.RaiseException("by a trigger"),
        psycopg.ProgrammingError("the query has 2 placeholders but 1 parameters were passed"),
        psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_refused_statement_is_a_defect_in_any_wrapper(error: Exception) -> None:
    """No connection is missing, so it is not called an outage."""
    wrapped = ConnectorException()
    wrapped.__cause__ = error
    for seen in (error, DBAPIError("SELECT 1", {}, error), wrapped):
        assert isinstance(seen, DATABASE_ERRORS)
        assert not is_unavailable(seen)
        assert sqlstate_of(seen) == getattr(error, "sqlstate", None)


@pytest.mark.parametrize(
    ("error", "event", "seconds"),
    [
        (errors.UndefinedColumn(WORD), "statement_failed", DEFECT_SECONDS),
        (errors.AdminShutdown(WORD), "database_unavailable", 0.0),
    ],
)
async def test_loop_in_the_background_waits_and_goes_on(
    error: Exception, event: str, seconds: float, logged: Callable[[], str]
) -> None:
    """After a refused statement, too, but it is not tried again at once, and quotes no value."""
    turn = asyncio.create_task(wait_out(error, "test", 0))
    if seconds:
        done, _ = await asyncio.wait([turn], timeout=0.1)
        assert not done
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
    else:
        await turn
    line = logged()
    assert f'"event": "{event}"' in line
    assert WORD not in line


def test_values_of_a_line_are_inert_and_bounded(logged: Callable[[], str]) -> None:
    """A model's name or a customer's id neither moves a terminal's cursor nor begins a line."""
    get_logger("test").warning("x\nforged", model="\x1b[2Jred\r\n\u202e", body="y" * 5000)
    line = json.loads(logged())
    assert (line["event"], line["model"]) == (r"x\nforged", r"\x1b[2Jred\r\n\u202e")
    assert line["body"] == "y" * (MAX_VALUE - 1) + "…"


def test_what_is_no_error_of_the_database_is_no_outage() -> None:
    """A file that is missing, a time limit, and a job that is queued twice."""
    twice = UniqueViolation(constraint_name="x", queueing_lock=None)
    for error in (OSError("no such file"), TimeoutError(), twice):
        assert not is_unavailable(error)
    assert not issubclass(OSError, DATABASE_ERRORS)


def test_engine_hides_the_values_of_a_statement() -> None:
    """What SQLAlchemy puts into the text of its errors, for code that prints one after all."""
    assert make_engine("postgresql://unknown@127.0.0.1/none", 1).sync_engine.hide_parameters


@pytest.mark.no_cover
def test_every_engine_hides_them() -> None:
    """There is no other call that makes one."""
    for path, call in calls():
        name = ast.unparse(call.func).rsplit(".", maxsplit=1)[-1]
        if name in ("create_engine", "create_async_engine"):
            assert "hide_parameters" in {keyword.arg for keyword in call.keywords}, path


@pytest.mark.no_cover
def test_no_log_call_is_given_the_text_of_an_exception() -> None:
    """`error=error` is; `str(error)` would take its message past every rule above."""
    for path, call in calls():
        if ast.unparse(call.func).startswith("log."):
            texts = [ast.unparse(keyword.value) for keyword in call.keywords]
            wrong = [text for text in texts if text.startswith(("str(err", "repr(", "str(fail"))]
            assert not wrong, f"{path}:{call.lineno}"


def calls() -> Iterator[tuple[Path, ast.Call]]:
    """Every call in the product's code."""
    for room in ("app", "graphs", "tools", "migrations"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield path, node


def test_logging_is_put_back_after_each_test() -> None:
    """The tests above configured it otherwise; one after them must not depend on that."""
    assert logging.getLogger().level == logging.WARNING
    assert isinstance(structlog.get_config()["logger_factory"], structlog.stdlib.LoggerFactory)
