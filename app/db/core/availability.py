"""Classifies database errors: an outage, which ends by itself, or a statement refused for good.

The second is a defect of ours, in the statement or in the schema, so retrying cannot help.
"""

import asyncio

import psycopg
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as EngineTimeout

from app.log import get_logger
from app.log.error_text import sqlstate_of
from tools.errors import ToolError

log = get_logger(__name__)

# Pause after a refused statement: a release, or a migration under way, has to repair it.
DEFECT_SECONDS = 5.0

# Everything that a database's driver, or a library on top of one, raises.
DATABASE_ERRORS = (StatementError, EngineTimeout, psycopg.Error, ConnectorException)
# SQLSTATEs that mean "not now": connection, resources, operator, serialization; and a transaction
# that stood still for so long that the server ended its session; and a
# read-only transaction, since a failover may lead to a standby that is not promoted yet.
NOT_NOW = ("08", "53", "57", "40", "25006", "25P03", "25P04")


class StatementFailedError(ToolError):
    """The database refused a statement of a tool for good; the message holds no value of it.

    As any ToolError it is not tried again, and people read its message.
    """


def is_unavailable(error: BaseException | None) -> bool:
    """Whether the same statement may succeed once the database is back."""
    if isinstance(error, EngineTimeout):
        return True
    if isinstance(error, ConnectorException):
        return is_unavailable(error.__cause__)
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or is_unavailable(error.orig)
    if isinstance(error, psycopg.Error) and error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return isinstance(error, psycopg.Error) and str(error.sqlstate).startswith(NOT_NOW)


def statement_failed(error: BaseException) -> StatementFailedError:
    """The defect that the database's error is, in our own words."""
    return StatementFailedError(f"the database refused a statement (SQLSTATE {sqlstate_of(error)})")


async def wait_out(error: BaseException, part: str, seconds: float) -> None:
    """Log a database error of a loop in the background, and wait before its next turn.

    A refused statement does not end the loop: one row of one tenant may cause it, and the process
    serves all of them. It waits DEFECT_SECONDS instead of `seconds`.

    Raises:
        asyncio.CancelledError: the task was asked to end. A failing database may have turned the
            cancellation into `error`, and a loop that went on would never end.
    """
    log_database_error(error, part)
    end_if_cancelled()
    await asyncio.sleep(seconds if is_unavailable(error) else DEFECT_SECONDS)


def end_if_cancelled() -> None:
    """Raise CancelledError in a task that was asked to end and got another error instead."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def log_database_error(error: BaseException, part: str) -> None:
    """Log that a part of the service met an outage, or a statement that Postgres refused."""
    if is_unavailable(error):
        log.warning("database_unavailable", part=part, error=error)
    else:
        log.error("statement_failed", part=part, error=error, exc_info=error)
