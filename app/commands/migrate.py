"""Bring a database to the newest schema: ours, the checkpointer's, then the queue's."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg.rows import dict_row
from sqlalchemy import create_engine, make_url

import migrations
from app.db.core.connections import plain_dsn
from app.db.knowledge.vectors import create_table
from app.worker.consumer import apply_schema

# Any fixed number: whoever holds it migrates, and every other replica waits for it.
MIGRATION_LOCK = 4_872_301_555
POLL_SECONDS = 0.1
# A dump of another server brings events of transactions that this one has not had yet, which
# nobody could read. They become its oldest, in the order of their numbers: see docs/adr/0014.
TAKE_IN_EVENTS = """
UPDATE events SET txid = 3
WHERE txid >= (pg_snapshot_xmax(pg_current_snapshot())::text)::bigint
"""


def migrate(database_url: str, progress: Callable[[str], None]) -> None:
    """Upgrade step by step; safe to run from many replicas at once, and again."""
    dsn = plain_dsn(database_url)
    with psycopg.connect(dsn, autocommit=True) as lock:
        take_lock(lock)
        progress("tables")
        upgrade_tables(database_url)
        lock.execute(TAKE_IN_EVENTS)
        progress("checkpoints")
        # CREATE INDEX CONCURRENTLY cannot stand in a transaction, so this is no Alembic step.
        with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
            PostgresSaver(connection).setup()
        progress("embeddings")
        with psycopg.connect(dsn, autocommit=True) as connection:
            if missing := create_table(connection):
                progress(missing)
        progress("queue")
        asyncio.run(apply_schema(database_url))


def take_lock(connection: psycopg.Connection) -> None:
    """Wait until nobody else migrates.

    By asking again and again: a session that waits inside `pg_advisory_lock` holds a snapshot,
    and CREATE INDEX CONCURRENTLY in the session that has the lock would wait for it for ever.
    """
    taken = False
    while not taken:
        [[taken]] = connection.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_LOCK])
        if not taken:
            time.sleep(POLL_SECONDS)


def upgrade_tables(database_url: str, revision: str = "head") -> None:
    """Run the Alembic migrations up to `revision`."""
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, hide_parameters=True)
    try:
        with engine.connect() as connection:
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    finally:
        engine.dispose()


def alembic_config() -> Config:
    """The migrations beside the installed package, wherever that is."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config
