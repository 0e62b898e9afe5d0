"""Tells a database that is away, and comes back, from a statement that it refuses for good."""

import psycopg
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as EngineTimeout

# Everything among which a lost connection may be found; `is_unavailable` decides.
DATABASE_ERRORS = (
    DBAPIError, InterfaceError, OperationalError, EngineTimeout, psycopg.Error, PoolTimeout,
    ConnectorException, OSError,
)  # fmt: skip
# Classes of SQLSTATE that mean "not now": connection, resources, operator, serialization.
NOT_NOW = ("08", "53", "57", "40")


def is_unavailable(error: BaseException | None) -> bool:
    """Whether the same statement may succeed once the database is back."""
    if isinstance(error, PoolTimeout | EngineTimeout | OSError):
        return True
    if isinstance(error, ConnectorException):
        return error.__cause__ is None or is_unavailable(error.__cause__)
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or is_unavailable(error.orig)
    if isinstance(error, psycopg.Error):
        unspoken = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return unspoken if error.sqlstate is None else error.sqlstate.startswith(NOT_NOW)
    return False
