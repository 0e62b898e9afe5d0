"""Statements that every run needs: built with SQLAlchemy, run by psycopg itself.

SQLAlchemy's own way to a row costs four times what psycopg's does, in CPU of the process that runs
everything (`docs/performance.md`). The transaction is the session's, so nothing else changes.
"""

from collections.abc import Callable
from typing import Any, cast

from psycopg import AsyncConnection
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.psycopg import dialect
from sqlalchemy.ext.asyncio import AsyncSession

DIALECT = dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy types no dialect's constructor
Prepare = Callable[[Any], Any]


class Hot:
    """A statement, compiled once. A list is bound as an array: no `in_`, but `== any_(...)`."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled = statement.compile(dialect=DIALECT)
        self._sql = str(compiled)
        binds: dict[str, Any] = compiled.binds  # type: ignore[attr-defined]  # of SQLCompiler
        self._prepare = {name: _preparer(bind.type) for name, bind in binds.items()}
        self._known = {
            name: self._prepare[name](bind.value)
            for name, bind in binds.items()
            if not bind.required
        }

    async def rows(self, session: AsyncSession, **values: Any) -> list[Any]:
        """Its rows as tuples, in the session's transaction; nothing is flushed before."""
        given = {name: self._prepare[name](value) for name, value in values.items()}
        driver = await _driver(session)
        cursor = await driver.execute(self._sql, {**self._known, **given})
        return await cursor.fetchall() if cursor.description else []


def _preparer(kind: Any) -> Prepare:
    return kind.dialect_impl(DIALECT).bind_processor(DIALECT) or (lambda value: value)


async def _driver(session: AsyncSession) -> AsyncConnection[Any]:
    """The session's connection as psycopg knows it."""
    raw = await (await session.connection()).get_raw_connection()
    return cast("AsyncConnection[Any]", raw.driver_connection)
