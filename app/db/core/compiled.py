"""Statements that every run passes: built with SQLAlchemy, compiled once, run by psycopg itself.

SQLAlchemy's own way to a row costs four times what psycopg's does, in CPU of the process that runs
everything (`docs/performance.md`). In a session the transaction is the session's; on a connection
from `Sessions.raw_connection()` what a session costs is saved as well.

Each statement is made by a `@cache` function that is named by its verb (`_select_live_key`), so it
is built at its first use. A test lists the modules that may have some, with the reason: whatever a
run passes only sometimes is a plain statement in a session (docs/adr/0018).
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Generic, TypeVar, cast

from psycopg import AsyncConnection
from psycopg.rows import tuple_row
from sqlalchemy import BindParameter, SelectBase, Table, UpdateBase, bindparam, inspect
from sqlalchemy.dialects.postgresql.psycopg import dialect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.visitors import replacement_traverse

DIALECT = dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy types no dialect's constructor
# Only numeric result processors depend on the column's OID; psycopg already returns Decimal.
NUMERIC = 1700
Convert = Callable[[Any], Any]
RawConnection = AsyncConnection[Any]
Statement = SelectBase | UpdateBase
# Where a compiled statement runs.
Executor = AsyncSession | RawConnection
T = TypeVar("T")
S = TypeVar("S", bound=Statement)


class CompiledStatement:
    """A statement, compiled once. A list is bound as an array: no `in_`, but `== any_(...)`.

    Values that it was built with are constants in its SQL: only so can one plan, made once, use
    indexes that hold some rows of a table. What it is asked with are parameters.
    """

    def __init__(self, statement: Statement) -> None:
        self._columns = list(statement.exported_columns)
        compiled = with_constants(statement).compile(dialect=DIALECT)
        binds: dict[str, BindParameter[Any]] = compiled.binds
        self._prepare = {name: _preparer(b.type) for name, b in binds.items() if b.required}
        # SQLAlchemy renders its `literal_execute` parameters when it is given all the others.
        self.sql = compiled.construct_expanded_state(dict.fromkeys(self._prepare)).statement

    async def rows(self, executor: Executor, **values: Any) -> list[Any]:
        """Its rows as tuples, in the executor's transaction; nothing is flushed before."""
        given = {name: self._prepare[name](value) for name, value in values.items()}
        driver = await driver_of(executor) if isinstance(executor, AsyncSession) else executor
        cursor = driver.cursor(row_factory=tuple_row)
        await cursor.execute(self.sql, given)
        return await cursor.fetchall() if self._columns else []


class CompiledQuery(CompiledStatement, Generic[T]):
    """One that answers whole rows of a table, in the table's order, as objects of no session.

    What stands behind those columns is left out.
    """

    def __init__(self, entity: type[T], statement: Statement) -> None:
        super().__init__(statement)
        self._entity = entity
        mapper: Any = inspect(entity)
        names = [column.name for column in mapper.local_table.columns]
        assert [column.name for column in self._columns[: len(names)]] == names
        self._readers = [
            (mapper.get_property_by_column(column).key, _reader(column.type))
            for column in mapper.local_table.columns
        ]

    async def all(self, executor: Executor, **values: Any) -> list[T]:
        """Its rows as objects."""
        return [self.made(row) for row in await self.rows(executor, **values)]

    async def one_or_none(self, executor: Executor, **values: Any) -> T | None:
        """Its only row as an object, if there is one."""
        found = await self.all(executor, **values)
        assert len(found) <= 1, "the statement answers one row at most"
        return found[0] if found else None

    def made(self, row: tuple[Any, ...]) -> T:
        """The object of a row."""
        one = self._entity()
        # As SQLAlchemy does when it loads a row; its constructor would note 36 changes.
        vars(one).update(
            (name, value if read is None or value is None else read(value))
            for (name, read), value in zip(self._readers, row, strict=False)
        )
        return one


def with_constants(statement: S) -> S:
    """The statement with the values it was built with as part of its SQL.

    An UPDATE hides those of a common table expression that it reads: that one needs it of its own.
    """
    return cast("S", replacement_traverse(statement, {}, _as_constant))


def new_binds(names: Iterable[str]) -> dict[str, Any]:
    """What columns are set to, by parameters of their own: a WHERE may ask for the same names."""
    return {name: bindparam(f"new_{name}") for name in names}


def typed_binds(table: Table, names: Iterable[str]) -> dict[str, BindParameter[Any]]:
    """The same with the columns' types, which an INSERT from a SELECT does not give them."""
    return {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}


def new_values(values: dict[str, Any]) -> dict[str, Any]:
    """Values for those parameters."""
    return {f"new_{name}": value for name, value in values.items()}


def atomic(executor: Executor) -> AbstractAsyncContextManager[Any]:
    """One transaction for several statements; a session's is there already."""
    return nullcontext() if isinstance(executor, AsyncSession) else executor.transaction()


def _as_constant(element: Any, **_: Any) -> BindParameter[Any] | None:
    """A value that is known now, as one that becomes part of the SQL; None leaves it as it is."""
    known = isinstance(element, BindParameter) and not element.required
    return element.render_literal_execute() if known else None


def _preparer(kind: Any) -> Convert:
    return kind.dialect_impl(DIALECT).bind_processor(DIALECT) or (lambda value: value)


def _reader(kind: Any) -> Convert | None:
    read = kind.dialect_impl(DIALECT).result_processor(DIALECT, NUMERIC)
    return cast("Convert | None", read)


async def driver_of(session: AsyncSession) -> RawConnection:
    """The session's connection as psycopg knows it."""
    raw = await (await session.connection()).get_raw_connection()
    return cast("RawConnection", raw.driver_connection)
