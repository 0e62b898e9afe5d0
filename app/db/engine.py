"""Connections: one async engine for our tables, one psycopg pool for the checkpointer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

Sessions = async_sessionmaker[AsyncSession]
SaverPool = AsyncConnectionPool[AsyncConnection[DictRow]]


def plain_dsn(database_url: str) -> str:
    """The URL for libpq, whatever driver suffix it came with."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


def make_engine(database_url: str, pool_size: int) -> AsyncEngine:
    """An engine whose connections are checked before use, so a restarted Postgres is no error."""
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    return create_async_engine(
        url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, pool_recycle=1800
    )


@asynccontextmanager
async def open_saver_pool(database_url: str, size: int) -> AsyncIterator[SaverPool]:
    """The pool the checkpointer works on; idle connections that a proxy closed are replaced."""
    kwargs: dict[str, Any] = {"autocommit": True, "row_factory": dict_row, "prepare_threshold": 0}
    pool: SaverPool = AsyncConnectionPool(
        plain_dsn(database_url),
        min_size=1,
        max_size=size,
        max_idle=300,
        max_lifetime=1800,
        check=AsyncConnectionPool.check_connection,
        kwargs=kwargs,
        open=False,
    )
    await pool.open(wait=True, timeout=10)
    try:
        yield pool
    finally:
        await pool.close()
