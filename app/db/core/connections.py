"""Connections: the three ways to the database.

| way | for | over | held across |
|---|---|---|---|
| `Sessions.begin()`, `Sessions()` | use cases: what is read, changed and written as one | the engine's pool, a pooler if there is one | one transaction, which the server ends when it stands still for 15 s; never a model call, a delivery or a mail |
| `Sessions.raw_connection()` | the compiled statements and the checkpoints of every run | the psycopg pool, a pooler if there is one | one statement, or its own `transaction()` |
| `direct_connection()` | what lives in a session of Postgres: a worker's lock, LISTEN | Postgres itself, one connection each | as long as the process |

The queue's consumer and the migrations have direct connections, too, which their libraries open.
"""  # noqa: E501  # a table

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

from app.db.core.compiled import RawConnection
from app.settings import Settings

C = TypeVar("C", bound=AsyncConnection[Any])
SaverPool = AsyncConnectionPool[AsyncConnection[DictRow]]

UNPREPARED: dict[str, Any] = {"prepare_threshold": None}
# While the database is unavailable a request waits this long for a connection, then it gets a 503.
UNAVAILABLE_SECONDS = 5.0
# A host that freezes within a transaction keeps its locks, so that no worker could take its runs
# over. A pooler takes no such option; there it is set for the role (docs/operations.md).
IDLE_LIMIT: dict[str, Any] = {"options": "-c idle_in_transaction_session_timeout=15s"}
# Compiled statements are planned once, perhaps while their tables are nearly empty: a plan
# that reads whole tables would stay until the next ANALYZE. They all have an index to go by.
# Left to itself the server plans those of a search each time, which takes as long as to run them.
BY_INDEX: dict[str, Any] = {
    "options": f"{IDLE_LIMIT['options']} -c enable_seqscan=off -c jit=off"
    " -c plan_cache_mode=force_generic_plan"
}


class Sessions(async_sessionmaker[AsyncSession]):
    """Makes sessions, with `begin()` in a transaction, and lends raw connections of the pool.

    A command has sessions alone: it passes no run, so it has no raw connections.
    """

    def __init__(self, engine: AsyncEngine | None = None, pool: SaverPool | None = None) -> None:
        super().__init__(engine, expire_on_commit=False)
        self._pool = pool

    @asynccontextmanager
    async def raw_connection(self) -> AsyncIterator[RawConnection]:
        """A connection whose statements each stand alone, outside of its `transaction()`."""
        assert self._pool is not None, "the process opened no pool of raw connections"
        async with self._pool.connection(timeout=UNAVAILABLE_SECONDS) as connection:
            yield connection


class SteadyPool(AsyncConnectionPool[C]):
    """A pool that tries every second to reach an unavailable server.

    The stock one doubles its wait after each try: a minute's outage would last two.
    """

    async def _add_connection(self, attempt: Any, growing: bool = False) -> None:
        # Each try counts as the first: the shortest wait follows, and no try is the last.
        await super()._add_connection(None, growing)


def plain_dsn(database_url: str) -> str:
    """The URL for libpq, whatever driver suffix it came with."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


def direct_url(settings: Settings) -> str:
    """The URL of Postgres itself, also when the other one leads to a pooler."""
    url = settings.direct_database_url or settings.database_url
    assert url is not None, "the commands refuse to start without a database"
    return url.get_secret_value()


@asynccontextmanager
async def direct_connection(database_url: str) -> AsyncIterator[RawConnection]:
    """A connection of its own, whose session holds locks or listens. Raises psycopg.Error."""
    async with await AsyncConnection.connect(
        plain_dsn(database_url), autocommit=True, **BY_INDEX
    ) as connection:
        yield connection


def make_engine(database_url: str, pool_size: int, *, prepared: bool = True) -> AsyncEngine:
    """An engine whose connections are checked before use, so a restarted Postgres is no error.

    Without `prepared`, no statement relies on the session of an earlier one: see open_saver_pool.
    """
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    # The pool neither grows nor shrinks, since a new connection has no prepared statement. The last
    # one used is taken first: it has most of them.
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,
        pool_recycle=1800,
        # Its errors would hold the values of their statement.
        hide_parameters=True,
        connect_args=IDLE_LIMIT if prepared else UNPREPARED,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_if_closed(connection: Any, _record: Any, _proxy: Any) -> None:
        if closed_by_server(connection.driver_connection):
            raise InvalidatePoolError("the server closed the connection")

    return engine


def closed_by_server(connection: AsyncConnection[Any]) -> bool:
    """Whether the server has closed an idle connection, without a round trip to ask it.

    An idle server sends nothing, so any readable byte announces the end. That holds for a pooler
    too: it forwards what a server sends only while a transaction of ours has that server.
    """
    if connection.closed:
        return True
    watch = poll()
    watch.register(connection.pgconn.socket, POLLIN)
    return bool(watch.poll(0))


async def check_socket(connection: AsyncConnection[Any]) -> None:
    """Refuse a connection of a pool that the server has closed, without asking the server."""
    if closed_by_server(connection):
        # libpq has not noticed yet, so the pool would put the connection back.
        await connection.close()
        raise OperationalError("the server closed the connection")


@asynccontextmanager
async def open_saver_pool(
    database_url: str, size: int, *, prepared: bool = True
) -> AsyncIterator[SaverPool]:
    """The pool of checkpoints and compiled statements; it replaces connections a proxy closed.

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
