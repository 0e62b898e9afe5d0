"""Which database a command works on: the setting's, that of a running `dev`, or an embedded one."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import typer
from psycopg_pool import PoolTimeout
from pydantic import SecretStr, ValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.terminal import complain, typed
from app.db.audit.actor import COMMAND_LINE, act_as
from app.db.core.availability import DATABASE_ERRORS
from app.db.core.connections import Sessions, make_engine
from app.db.core.embedded import EmbeddedPostgresError, embedded_postgres
from app.log.error_text import describe, sqlstate_of, wrong_value
from app.settings import Settings

T = TypeVar("T")


class UnknownRevisionError(Exception):
    """The schema is at a revision that this version does not hold; the text says what to do."""


def load_settings(**changes: Any) -> Settings:
    """The settings, or a readable list of what is wrong with them and exit code 2."""
    try:
        return Settings(**{key: value for key, value in changes.items() if value is not None})
    except ValidationError as error:
        for item in error.errors():
            name = str(item["loc"][0])
            name = f"DESKGRAPH_{name}" if name in Settings.model_fields else name
            complain(f"{name.upper()}: {wrong_value(item['msg'])}")
        raise typer.Exit(2) from None


def dev_file(settings: Settings) -> Path:
    """Where a running `dev` says how to reach it."""
    return settings.data_dir / "dev.json"


def running_dev(settings: Settings) -> dict[str, str] | None:
    """What a running `dev` on this data folder printed, if there is one."""
    try:
        ready: dict[str, str] = json.loads(dev_file(settings).read_text())
        # A killed `dev` leaves its file behind.
        psycopg.connect(ready["database_url"], connect_timeout=2).close()
    except (OSError, ValueError, psycopg.OperationalError):
        return None
    return ready


@contextmanager
def with_database(settings: Settings, *, join_dev: bool = True) -> Iterator[Settings]:
    """Settings whose `database_url` is there; an embedded server runs as long as needed."""
    if settings.database_url is not None:
        yield settings
    elif join_dev and (dev := running_dev(settings)):
        yield _only_on(settings, dev["database_url"])
    else:
        try:
            with embedded_postgres(settings.data_dir) as url:
                yield _only_on(settings, url)
        except EmbeddedPostgresError as error:
            complain(error)
            raise typer.Exit(1) from None


def _only_on(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(url), "direct_database_url": None})


def require_database(settings: Settings) -> str:
    """The URL of a database that must be given; exit code 2 without one."""
    if settings.database_url is None:
        complain(f"Set DESKGRAPH_DATABASE_URL, or use `{typed('dev')}` on one machine.")
        raise typer.Exit(2)
    return settings.database_url.get_secret_value()


@contextmanager
def explained() -> Iterator[None]:
    """Turn a database that is unavailable, refuses or does not fit into a message and exit 1."""
    try:
        yield
    except UnknownRevisionError as error:
        complain(error)
        raise typer.Exit(1) from None
    except (psycopg.OperationalError, OperationalError, PoolTimeout) as error:
        reason = str(error).strip().splitlines()[0]
        complain(f"Cannot reach the database: {reason}\nCheck DESKGRAPH_DATABASE_URL.")
        raise typer.Exit(1) from None
    except DATABASE_ERRORS as error:
        refused = f"{describe(error)}, SQLSTATE {sqlstate_of(error)}"
        complain(f"The database refused: {refused}\nRun `{typed('migrate')}` first?")
        raise typer.Exit(1) from None


def in_session(settings: Settings, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """Run `work` in one transaction on the command's database."""

    async def run(sessions: Sessions) -> T:
        async with sessions.begin() as session:
            await act_as(session, COMMAND_LINE)
            return await work(session)

    return with_sessions(settings, run)


def with_sessions(settings: Settings, work: Callable[[Sessions], Awaitable[T]]) -> T:
    """Run `work`, whose transactions are its own, on the command's database."""

    async def run() -> T:
        url = require_database(settings)
        engine = make_engine(url, 1, prepared=settings.prepared_statements)
        try:
            return await work(Sessions(engine))
        finally:
            await engine.dispose()

    with explained():
        return asyncio.run(run())
