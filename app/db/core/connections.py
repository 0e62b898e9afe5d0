"""Connections: an engine for sessions, a psycopg pool for checkpoints and hot statements."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from select import POLLIN, poll
from typing import Any, TypeVar

from psycopg import AsyncConnection, OperationalError
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import event, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from app.db.core.compiled import RawConnection, driver_of
from app.settings import Settings

C = TypeVar("C", bound=AsyncConnection[Any])
SaverPool = AsyncConnectionPool[AsyncConnection[DictRow]]

UNPREPARED: dict[str, Any] = {"prepare_threshold": None}
# Whoever asks while the database is away is told so after this time.
UNAVAILABLE_SECONDS = 5.0
# A host that freezes within a transaction keeps its locks, so that nobody could take its runs over.
# A pooler takes no such option; there it is set for the role (docs/operations.md).
LET_GO: dict[str, Any] = {"options": "-c idle_in_transaction_session_timeout=15s"}
# Compiled statements are planned once, perhaps while their tables are nearly empty: a plan
# that reads whole tables would stay until the next ANALYZE. They all have an index to go by.
BY_INDEX: dict[str, Any] = {"options": f"{LET_GO['options']} -c enable_seqscan=off -c jit=off"}


class Sessions(async_sessionmaker[AsyncSession]):
    """Makes sessions: `begin()` for a transaction, `reading()` for statements that need none.

    `plain()` is for hot statements: a connection as psycopg knows it, of the pool if there is one.
    """

    def __init__(self, engine: AsyncEngine | None = None, pool: SaverPool | None = None) -> None:
        super().__init__(engine, expire_on_commit=False)
        self._reading = engine and engine.execution_options(isolation_level="AUTOCOMMIT")
        self._pool = pool

    def reading(self) -> AsyncSession:
        """A session whose statements each stand alone: no BEGIN, no ROLLBACK, half the trips."""
        return self(bind=self._reading)

    @asynccontextmanager
    async def raw_connection(self) -> AsyncIterator[RawConnection]:
        """A connection whose statements each stand alone, outside of its `transaction()`."""
        if self._pool is None:
            async with self.reading() as session:
                yield await driver_of(session)
        else:
            async with self._pool.connection(timeout=UNAVAILABLE_SECONDS) as connection:
                yield connection


class SteadyPool(AsyncConnectionPool[C]):
    """A pool that looks every second for a server that is away.

    The stock one waits twice as long after each try: a minute's outage would last two.
    """

    async def _add_connection(self, attempt: Any, growing: bool = False) -> None:
        # Each try is a first one, which is followed by the shortest wait and never the last.
        await super()._add_connection(None, growing)


def plain_dsn(database_url: str) -> str:
    """The URL for libpq, whatever driver suffix it came with."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


def direct_url(settings: Settings) -> str:
    """The database for what lives in a session: a process's lock, LISTEN, migrations."""
    url = settings.direct_database_url or settings.database_url
    assert url is not None, "the commands refuse to start without a database"
    return url.get_secret_value()


def make_engine(database_url: str, pool_size: int, *, prepared: bool = True) -> AsyncEngine:
    """An engine whose connections are checked before use, so a restarted Postgres is no error.

    Without `prepared`, no statement counts on the session of an earlier one: see open_saver_pool.
    """
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    # No connection comes and goes: a new one knows no prepared statement. The last one used is
    # taken first, since it knows most of them.
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,
        pool_recycle=1800,
        # Its errors would hold the values of their statement.
        hide_parameters=True,
        connect_args=LET_GO if prepared else UNPREPARED,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def leave_if_hung_up(connection: Any, _record: Any, _proxy: Any) -> None:
        if hung_up(connection.driver_connection):
            raise InvalidatePoolError("the server closed the connection")

    return engine


def hung_up(connection: AsyncConnection[Any]) -> bool:
    """Whether the server has closed an idle connection, without asking it: that is a trip less.

    An idle server has nothing to say, so what can be read is its goodbye. That holds for a pooler
    too: it passes on what a server says only while a transaction of ours has that server.
    """
    if connection.closed:
        return True
    watch = poll()
    watch.register(connection.pgconn.socket, POLLIN)
    return bool(watch.poll(0))


async def check_socket(connection: AsyncConnection[Any]) -> None:
    """Refuse a connection of a pool that the server has closed, without asking the server."""
    if hung_up(connection):
        # The pool would put it back: it believes what libpq knows, and nobody has asked libpq.
        await connection.close()
        raise OperationalError("the server closed the connection")


@asynccontextmanager
async def open_saver_pool(
    database_url: str, size: int, *, prepared: bool = True
) -> AsyncIterator[SaverPool]:
    """The pool of checkpoints and hot statements; connections that a proxy closed are replaced.

    A pooler in transaction mode gives each transaction another server, which knows no statement
    that was prepared on the last one: without `prepared` none is.
    """
    kwargs: dict[str, Any] = {"autocommit": True, "row_factory": dict_row, "prepare_threshold": 0}
    kwargs |= BY_INDEX if prepared else UNPREPARED
    pool: SaverPool = SteadyPool(
        plain_dsn(database_url),
        min_size=1,
        max_size=size,
        max_idle=300,
        max_lifetime=1800,
        check=check_socket,
        kwargs=kwargs,
        open=False,
    )
    await pool.open(wait=True, timeout=10)
    try:
        yield pool
    finally:
        await pool.close()
